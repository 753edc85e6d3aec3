// stake.test.mjs - staking by the command line, on a chain whose epochs and unbonding take seconds:
// a delegator's way in and out with its rewards, and a validator's: join, enter the set, change its key, leave, return, be convicted.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { AbiCoder, Contract, JsonRpcProvider, SigningKey, Wallet, id, keccak256 } from 'ethers'
import { CHAIN_ID, RICH, RICH_KEY, makeNetwork, removeNetwork, runTests, startNode, stopNode } from './node.mjs'

const run = promisify(execFile)
const FIRST = '0x00000000000000000000000000000000000000AA' // the genesis validator's operator
const EPOCH_BLOCKS = 15
const UNBONDING = 12
const VOTE = 'tuple(uint64 epoch, uint64 viewNumber, uint8 kind, uint64 parentView, bytes32 blockHash, bytes signature)'
const STAKING_ABI = [`function slash(${VOTE} a, ${VOTE} b)`]

const network = makeNetwork({ blockIntervalMs: 100, idleIntervalMs: 100, epochBlocks: EPOCH_BLOCKS, epochRewardWei: '10000000000000000000' })
const genesis = JSON.parse(readFileSync(network.genesis))
genesis.parameters = {
    'Staking.minSelfStake': '10000000000000000000', 'Staking.unbondingSeconds': String(UNBONDING),
    'Staking.evidenceSeconds': '8', 'Staking.jailSeconds': '1',
}
writeFileSync(network.genesis, JSON.stringify(genesis))
const node = await startNode(network)
const home = mkdtempSync(join(network.dir, 'home-'))
const passwordFile = join(home, 'password')
writeFileSync(passwordFile, 'correct horse\n')

async function leasehold(...words) {
    const env = {
        ...process.env, HOME: home, LEASEHOLD_RPC: node.url, LEASEHOLD_PASSWORD_FILE: passwordFile,
        LEASEHOLD_KEYSTORE: join(home, 'keystore'),
    }
    try {
        const { stdout, stderr } = await run('leasehold', words, { env, timeout: 120000 })
        return { code: 0, out: stdout, err: stderr }
    } catch (error) {
        return { code: error.code ?? error.signal, out: error.stdout ?? '', err: error.stderr ?? String(error) }
    }
}

async function json(...words) {
    const { code, out, err } = await leasehold(...words, '--json')
    assert.equal(code, 0, `leasehold ${words.join(' ')}: ${err}${out}`)
    return JSON.parse(out)
}

async function fails(code, pattern, ...words) {
    const result = await leasehold(...words)
    assert.equal(result.code, code, `${words.join(' ')}: ${result.err}${result.out}`)
    assert.match(result.err, pattern)
}

const lsh = (wei) => Number(BigInt(wei) / 10n ** 12n) / 1e6
const delegated = async (to, who) => {
    const { delegations } = await json('stake', 'status', who)
    return lsh(delegations.find((d) => d.validator.toLowerCase() === to.toLowerCase())?.amountWei ?? 0)
}
const epoch = async () => (await json('validators')).epoch
const validator = async (operator) => (await json('validators')).validators.find((v) => v.operator.toLowerCase() === operator.toLowerCase())

async function epochs(count) {
    const until = await epoch() + count
    while (await epoch() < until) await sleep(200)
}

// A new consensus key on "the validator's machine", and what it hands to its operator.
function validatorFile(name, operator, chainId = CHAIN_ID) {
    const key = join(network.dir, `${name}.key`)
    writeFileSync(key, '0x' + Buffer.from(name.padEnd(32, '.')).toString('hex') + '\n', { mode: 0o600 })
    const file = join(network.dir, `${name}.json`)
    writeFileSync(file, execFileSync('leaseholdd', ['--print-validator', key, '--operator', operator, '--chain-id', String(chainId)]))
    return file
}

let second, moving, unbonding

const tests = [
    ['the genesis validator is listed with the yield that issuance and time give', async () => {
        writeFileSync(join(home, 'rich.key'), RICH_KEY)
        assert.equal((await leasehold('account', 'import', join(home, 'rich.key'), '--name', 'rich', '--light')).code, 0)
        second = (await json('account', 'new', '--name', 'second', '--light')).address
        await epochs(1)
        const all = await json('validators')
        assert.equal(all.validators.length, 1)
        const [v] = all.validators
        assert.equal(v.status, 'validates')
        assert.equal(v.share, 1)
        assert.ok(v.proposed >= EPOCH_BLOCKS && v.missed === 0, JSON.stringify(v))
        const perYear = 365 * 86400 / (EPOCH_BLOCKS * all.blockSeconds)
        const expected = 10 * perYear * 0.95 / (Number(all.totalWeightGwei) / 1e9)
        assert.ok(Math.abs(v.yearlyYield / expected - 1) < 1e-6, `${v.yearlyYield} ${expected}`)
        assert.ok(all.blockSeconds > 0.07 && all.blockSeconds < 1, String(all.blockSeconds))
        assert.match((await leasehold('validators')).out, /VALIDATOR.*YIELD.*\n.*validates\n\nepoch \d+ ends with block \d+, in about/)
    }],
    ['delegating says what it brings and asks first', async () => {
        await fails(2, /Delegate 1000 LSH to 0x0+aa\? Expected yield [\d.]+ % a year; taking it back takes 12 s/i, 'stake', 'delegate', FIRST, '1000', '--from', 'rich')
        await fails(2, /no amount/, 'stake', 'delegate', FIRST, 'much', '--from', 'rich', '--yes')
        await fails(4, /NotAccepting.*leasehold validators/, 'stake', 'delegate', second, '1', '--from', 'rich', '--yes')
        assert.equal(await delegated(FIRST, 'rich'), 0)
        const done = await json('stake', 'delegate', FIRST, '1000', '--from', 'rich', '--yes')
        assert.ok(done.events.some((e) => e.name === 'Delegated'))
        assert.ok(Math.abs(await delegated(FIRST, 'rich') - 1000) < 1, 'its worth, and perhaps a reward already')
    }],
    ['a delegation grows with each epoch', async () => {
        const before = await delegated(FIRST, 'rich')
        await epochs(2)
        const grown = await delegated(FIRST, 'rich') - before
        // 10 LSH an epoch, 95 % of it by stake: 1000 of 101000, over one epoch or more.
        assert.ok(grown > 0.09 && grown < 1, String(grown))
    }],
    ['taking some back says when it is ready, and not before', async () => {
        await fails(4, /only 1000.* LSH with/, 'stake', 'undelegate', FIRST, '5000', '--from', 'rich')
        await fails(4, /no stake with/, 'stake', 'undelegate', second, 'all', '--from', 'rich')
        unbonding = await json('stake', 'undelegate', FIRST, '400', '--from', 'rich')
        assert.ok(Math.abs(lsh(unbonding.amountWei) - 400) < 1e-6)
        assert.ok(unbonding.maturesAt >= Date.now() / 1000 + UNBONDING - 6, String(unbonding.maturesAt))
        const { out } = await leasehold('stake', 'status', 'rich')
        assert.match(out, new RegExp(`\\n${unbonding.id} .*400 LSH +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC, in \\d+ s +this account`))
        await fails(4, /NothingToWithdraw/, 'stake', 'withdraw', '--from', 'rich')
        await fails(4, /NotMature.*stake status/, 'stake', 'withdraw', String(unbonding.id), '--from', 'rich')
    }],
    ['a validator joins with what its machine printed', async () => {
        const file = validatorFile('two', second)
        await json('send', second, '100', '--from', 'rich', '--yes')
        await fails(2, /is for the operator/, 'stake', 'join', '--validator-file', file, '--stake', '20', '--from', 'rich', '--yes')
        await fails(2, /is for chain 1, and this is chain 7117/, 'stake', 'join', '--validator-file', validatorFile('other', second, 1), '--stake', '20', '--from', 'second', '--yes')
        await fails(2, /--commission must be 0 to 100/, 'stake', 'join', '--validator-file', file, '--stake', '20', '--commission', '101', '--from', 'second', '--yes')
        await fails(4, /StakeTooSmall/, 'stake', 'join', '--validator-file', file, '--stake', '9', '--from', 'second', '--yes')
        await json('stake', 'join', '--validator-file', file, '--stake', '20', '--commission', '2.5', '--from', 'second', '--yes')
        const v = await validator(second)
        assert.match(v.status, /^(enters|validates)$/)
        assert.equal(v.commissionBps, 250)
        await fails(4, /AlreadyValidator.*stake delegate/, 'stake', 'join', '--validator-file', file, '--stake', '20', '--from', 'second', '--yes')
        await epochs(1)
        assert.equal((await validator(second)).status, 'validates')
        const set = await (await fetch(node.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'leasehold_validators', params: [] }) })).json()
        assert.equal(set.result.validators.length, 2)
    }],
    ['stake moves from one to the other', async () => {
        moving = await json('stake', 'redelegate', FIRST, 'second', '5', '--from', 'rich')
        const { unbondings } = await json('stake', 'status', 'rich')
        assert.equal(unbondings.length, 2)
        assert.equal(unbondings.find((u) => u.id === moving.id).target, second)
        assert.ok(lsh((await json('balance', 'rich'))[0].stakeWei) > 999, 'the balance counts all of it')
    }],
    ['a new key waits for the next epoch', async () => {
        const file = validatorFile('two-new', second)
        const { consensusAddress } = JSON.parse(readFileSync(file))
        await json('stake', 'change-key', '--validator-file', file, '--from', 'second')
        await epochs(1)
        const { validator: v } = await json('stake', 'status', 'second')
        assert.equal(v.consensusAddress, consensusAddress)
        assert.equal((await validator(second)).consensusAddress, consensusAddress)
        await fails(4, /ConsensusKeyTaken/, 'stake', 'change-key', '--validator-file', file, '--from', 'second')
    }],
    ['what has finished unbonding is paid, what moved has arrived', async () => {
        const wait = Math.max(unbonding.maturesAt, moving.maturesAt) * 1000 - Date.now()
        await sleep(Math.max(wait, 0) + 1500) // the next block carries the time
        const before = BigInt((await json('balance', RICH))[0].balanceWei)
        const done = await json('stake', 'withdraw', '--from', 'rich')
        assert.ok(Math.abs(lsh(done.amountWei) - 400) < 1e-6, done.amount)
        const after = BigInt((await json('balance', RICH))[0].balanceWei)
        assert.ok(lsh(after - before) > 399.9, String(after - before))
        assert.ok(Math.abs(await delegated(second, 'rich') - 5) < 1e-3)
        assert.equal((await json('stake', 'status', 'rich')).unbondings.length, 0)
    }],
    ['an operator that takes its stake leaves the set, and may come back', async () => {
        await json('stake', 'undelegate', 'second', 'all', '--from', 'second')
        await epochs(2)
        assert.equal(await validator(second), undefined)
        assert.match((await leasehold('stake', 'status', 'second')).out, /inactive.*\n[^]*leasehold stake unjail/)
        await fails(4, /StakeTooSmall/, 'stake', 'unjail', '--from', 'second')
        await json('stake', 'delegate', 'second', '15', '--from', 'second', '--yes')
        await json('stake', 'unjail', '--from', 'second')
        await epochs(1)
        assert.equal((await validator(second)).status, 'validates')
    }],
    ['two votes of its key convict it, and everybody who stood behind it pays', async () => {
        const mine = await delegated(second, 'rich')
        const stake = lsh((await validator(second)).stakeWei)
        const key = new SigningKey('0x' + Buffer.from('two-new'.padEnd(32, '.')).toString('hex'))
        const now = await epoch() // where it is a member
        const voteFor = (block) => {
            const fields = [now, 1, 0, 0, id(block)]
            const digest = keccak256(AbiCoder.defaultAbiCoder().encode(
                ['bytes32', 'uint256', 'uint64', 'uint64', 'uint8', 'uint64', 'bytes32'], [id('Leasehold vote v1'), CHAIN_ID, ...fields]))
            return [...fields, key.sign(digest).serialized]
        }
        const provider = new JsonRpcProvider(node.url, CHAIN_ID, { staticNetwork: true, pollingInterval: 100 })
        const staking = new Contract('0x0000000000000000000000000000000000001001', STAKING_ABI, new Wallet(RICH_KEY, provider))
        await (await staking.slash(voteFor('a'), voteFor('b'))).wait()
        provider.destroy()
        const listed = await validator(second) // until the epoch ends
        assert.ok(listed === undefined || listed.status.startsWith('convicted'), JSON.stringify(listed))
        assert.match((await leasehold('stake', 'status', 'second')).out, /validator +convicted[^]*out for good/)
        assert.ok(Math.abs(await delegated(second, 'rich') / mine - 0.95) < 1e-3, 'the least fraction')
        const { credit, creditWei } = await json('stake', 'status', 'rich')
        assert.ok(Math.abs(lsh(creditWei) / (stake * 0.05 * 0.05) - 1) < 0.5, `the reporter's twentieth: ${credit}`)
        await fails(4, /NotJailed/, 'stake', 'unjail', '--from', 'second')
        await fails(4, /NotAccepting/, 'stake', 'delegate', 'second', '1', '--from', 'rich', '--yes')
    }],
    ['help, completion and man page know the family', async () => {
        assert.match((await leasehold('help', 'stake', 'join')).out, /--print-validator KEY --operator ADDRESS/)
        assert.match((await leasehold('help', 'stake')).out, /stake redelegate/)
        assert.match((await leasehold('completion', 'bash')).out, /stake\) words='join change-key delegate/)
        assert.match((await leasehold('--print-man')).out, /\.SS leasehold stake undelegate VALIDATOR AMOUNT\|all/)
        await fails(2, /leasehold stake needs one of: join/, 'stake')
    }],
]

const failed = await runTests(tests)
await stopNode(node)
removeNetwork(network)
process.exitCode = failed ? 1 : 0
