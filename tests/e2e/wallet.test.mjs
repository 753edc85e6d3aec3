// wallet.test.mjs - the command line as people and scripts use it: key files that ethers and cast open
// and that open theirs, payments, errors with their exit codes, and a local network that leaves nothing.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { JsonRpcProvider, Wallet, encryptKeystoreJson, formatEther, parseEther } from 'ethers'
import { Devnet, tap } from './devnet.mjs'

const TINY = new URL('jobs/tiny', import.meta.url).pathname

const here = dirname(fileURLToPath(import.meta.url))
const castPath = join(here, 'node_modules/.bin/cast')
const run = promisify(execFile)
const PASSWORD = 'correct horse'
const KEY = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d'
const ADDRESS = '0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b'

const net = new Devnet()
const store = join(net.root, 'store')
const passwordFile = join(net.root, 'password')
writeFileSync(passwordFile, PASSWORD + '\n')

// Runs the wallet on a key store of its own.
async function own(...words) {
    return net.leasehold(...words, '--keystore', store, '--password-file', passwordFile)
}

async function fails(code, pattern, ...words) {
    const result = await net.leasehold(...words)
    assert.equal(result.code, code, `${words.join(' ')}: ${result.err}`)
    assert.match(result.err, pattern)
    assert.equal(result.err.trim().split('\n').length, 1, `one line says it: ${result.err}`)
    return result
}

function processesOf(dir) {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
        try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir)
        } catch {
            return false // it has ended meanwhile
        }
    })
}

const tests = [
    ['an account made here opens with ethers and with cast', async () => {
        const made = await own('account', 'new', '--name', 'alice', '--json')
        assert.equal(made.code, 0, made.err)
        const { address, path } = JSON.parse(made.out)
        assert.equal(statSync(path).mode & 0o777, 0o600)
        const wallet = await Wallet.fromEncryptedJson(readFileSync(path, 'utf8'), PASSWORD)
        assert.equal(wallet.address, address)
        const cast = await run(castPath, ['wallet', 'address', '--keystore', path, '--password-file', passwordFile])
        assert.equal(cast.stdout.trim(), address)
    }],
    ['a key file made by ethers opens here', async () => {
        const file = join(net.root, 'ethers.json')
        writeFileSync(file, await encryptKeystoreJson({ address: ADDRESS, privateKey: KEY }, PASSWORD, { scrypt: { N: 8192, r: 8, p: 1 } }))
        const taken = await own('account', 'import', file, '--name', 'from-ethers', '--light', '--json')
        assert.equal(taken.code, 0, taken.err)
        assert.equal(JSON.parse(taken.out).address, ADDRESS)
    }],
    ['a key file made by cast opens here', async () => {
        const folder = join(net.root, 'cast')
        mkdirSync(folder)
        await run(castPath, ['wallet', 'import', 'bob', '--private-key', '0x' + '42'.repeat(32), '--keystore-dir', folder, '--unsafe-password', PASSWORD])
        const taken = await own('account', 'import', join(folder, 'bob'), '--name', 'from-cast', '--light', '--json')
        assert.equal(taken.code, 0, taken.err)
        assert.equal(JSON.parse(taken.out).address, new Wallet('0x' + '42'.repeat(32)).address)
    }],
    ['an exported secret is the key that was imported', async () => {
        const out = join(net.root, 'secret')
        const exported = await own('account', 'export', 'from-ethers', '--secret', '--output', out)
        assert.equal(exported.code, 0, exported.err)
        assert.equal(readFileSync(out, 'utf8').trim(), KEY)
        assert.equal(statSync(out).mode & 0o777, 0o600)
    }],
    ['a wrong password is one line and exit code 5', async () => {
        const wrong = join(net.root, 'wrong')
        writeFileSync(wrong, 'battery staple\n')
        await fails(5, /wrong password/, 'account', 'export', 'alice', '--secret', '--keystore', store, '--password-file', wrong)
    }],
    ['a file that is no key file is refused and nothing is stored', async () => {
        const file = join(net.root, 'broken.json')
        writeFileSync(file, '{"version":3,"crypto":{"kdf":"scrypt","cipher":"aes-128-ctr"}}')
        const before = readdirSync(store).length
        await fails(1, /key file: .* missing or malformed/, 'account', 'import', file, '--keystore', store, '--password-file', passwordFile)
        assert.equal(readdirSync(store).length, before)
    }],
    ['commands that make no sense exit with 2 and say what to type', async () => {
        await fails(2, /no command jbo/, 'jbo')
        await fails(2, /leasehold job needs one of: run/, 'job')
        await fails(2, /no option --nope/, 'balance', '--nope')
        await fails(2, /is no amount; write 1.5 LSH/, 'send', ADDRESS, 'much', '--yes')
        await fails(2, /is no address/, 'send', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee', '1', '--yes')
        await fails(2, /job\.json: not found/, 'job', 'run', '/', '--replicas', '99')
        await fails(2, /--replicas must be/, 'job', 'run', TINY, '--replicas', '99')
        await fails(2, /--validators must be 1 to 16/, 'devnet', 'up', '--validators', '0')
        await fails(2, /--validators must be .* up to 16, not 17/, 'devnet', 'up', '--validators', '17')
        await fails(1, /no local network in .*; start one/, 'devnet', 'kill', 'leader', '--dir', net.dir)
    }],
    ['no node is exit code 3 and names the URL', async () => {
        await fails(3, /cannot reach a node at http:\/\/127\.0\.0\.1:1/, 'balance', ADDRESS, '--rpc', 'http://127.0.0.1:1')
    }],
    ['the completion scripts are accepted by bash, the man page by the table', async () => {
        const { out } = await net.leasehold('completion', 'bash')
        const file = join(net.root, 'completion.bash')
        writeFileSync(file, `${out}\nCOMP_WORDS=(leasehold job r); COMP_CWORD=2; _leasehold; echo "\${COMPREPLY[@]}"\n`)
        const { stdout } = await run('bash', [file])
        assert.equal(stdout.trim(), 'run resume')
        const man = await net.leasehold('--print-man')
        assert.match(man.out, /\.SH EXIT STATUS/)
    }],
    ['a local network comes up with accounts, a provider and an offer', async () => {
        await net.up(1)
        const offers = await net.json('gpu', 'list')
        assert.equal(offers.length, 1)
        assert.equal(offers[0].gpu.model, 'cpu')
        assert.equal((await net.json('gpu', 'list', '--vram', '1000')).length, 0)
        assert.equal((await net.json('gpu', 'list', '--max-price', '0.0001 LSH/s')).length, 0)
        assert.equal((await net.json('gpu', 'list', '--region', 'LOCAL', '--runtime', 'cuda-c')).length, 1)
        const status = await net.json('provider', 'status', 'provider-1')
        assert.equal(status.stake, '100000000000000000000')
    }],
    ['money sent arrives, to the wei, as ethers sees it', async () => {
        const provider = new JsonRpcProvider(net.rpc, 7117, { staticNetwork: true, cacheTimeout: -1 })
        const sent = await net.json('send', ADDRESS, '1.5 LSH', '--yes')
        assert.equal(formatEther(await provider.getBalance(ADDRESS)), '1.5')
        const receipt = await provider.getTransactionReceipt(sent.transactionHash)
        assert.equal(receipt.blockNumber, sent.blockNumber)
        assert.equal(receipt.fee.toString(), sent.feeWei)
        const [balance] = await net.json('balance', ADDRESS)
        assert.equal(balance.balance, '1.5 LSH')
        // and the other way round: ethers sends with a key file of the wallet's
        const file = JSON.parse((await net.leasehold('account', 'list', '--json')).out).find((a) => a.name === 'provider-1').path
        const secret = readFileSync(join(net.dir, 'password'), 'utf8').trim()
        const wallet = (await Wallet.fromEncryptedJson(readFileSync(file, 'utf8'), secret)).connect(provider)
        await (await wallet.sendTransaction({ to: ADDRESS, value: parseEther('0.25') })).wait()
        assert.equal(formatEther(await provider.getBalance(ADDRESS)), '1.75')
        provider.destroy()
    }],
    ['refusals of the chain are exit code 4 with the error by name', async () => {
        await fails(4, /insufficient funds: the account has .* LSH/, 'send', ADDRESS, '99999999 LSH', '--yes')
        await fails(4, /UnknownJob\(job 99\)/, 'job', 'show', '99')
        await fails(4, /NotRegistered\(provider 0x/, 'provider', 'stake', '1 LSH')
        await fails(4, /StakeTooSmall\(stake 0\.5 LSH, minimum 1 LSH\)/, 'provider', 'register', '--endpoint', 'localhost:1',
            '--tls-key-hash', '0x' + '11'.repeat(32), '--worker-key', ADDRESS, '--stake', '0.5 LSH')
        await fails(8, /1 open offers fit and 3 replicas are wanted/, 'job', 'run', join(here, 'jobs/spin'))
    }],
    ['an order that nobody takes can be cancelled and comes back whole', async () => {
        const before = BigInt((await net.json('balance', 'renter'))[0].balanceWei)
        const order = await net.json('job', 'run', join(here, 'jobs/spin'), '--replicas', '3', '--max-price', '0.001 LSH/s', '--detach')
        assert.equal((await net.json('job', 'show', String(order.job))).stateName, 'open')
        await net.json('job', 'cancel', String(order.job))
        assert.equal((await net.json('job', 'show', String(order.job))).stateName, 'cancelled')
        const lost = before - BigInt((await net.json('balance', 'renter'))[0].balanceWei)
        assert.ok(lost < parseEther('0.01'), `only fees are gone, not ${lost}`)
    }],
    ['a job runs to its result, and the result can be fetched again', async () => {
        const output = join(net.root, 'result')
        const ended = await net.json('job', 'run', join(here, 'jobs/spin'), '--replicas', '1', '--output', output)
        assert.equal(ended.state, 'agreed')
        const stages = ended.stages.map((s) => s.stage)
        for (const stage of ['funded', 'submitted', 'matched', 'uploaded', 'running', 'sealed', 'revealed', 'agreed', 'paid', 'downloaded'])
            assert.ok(stages.includes(stage), `${stage} is in ${stages}`)
        assert.ok(existsSync(output))
        await fails(2, /is not empty/, 'job', 'run', join(here, 'jobs/spin'), '--replicas', '1', '--output', output)
        const again = join(net.root, 'again')
        await net.json('job', 'fetch', String(ended.job), '--output', again)
        const name = readdirSync(output)[0]
        assert.deepEqual(readFileSync(join(again, name)), readFileSync(join(output, name)))
    }],
    ['a network that is stopped leaves no process, and goes on when started again', async () => {
        const height = Number(await net.rpcCall('eth_blockNumber'))
        assert.ok(processesOf(net.dir).length >= 2)
        await net.json('devnet', 'down', '--dir', net.dir)
        assert.deepEqual(processesOf(net.dir), [])
        assert.equal((await net.json('devnet', 'status', '--dir', net.dir)).running, false)
        await net.up(1)
        assert.ok(Number(await net.rpcCall('eth_blockNumber')) >= height)
        await fails(1, /runs in .* already/, 'devnet', 'up', '--dir', net.dir)
        await fails(2, /there are nodes 1 to 1, no 2/, 'devnet', 'kill', '2', '--dir', net.dir)
        await net.json('devnet', 'kill', '1', '--dir', net.dir)
        await fails(1, /node 1 does not run/, 'devnet', 'partition', '1', '--dir', net.dir)
        await net.json('devnet', 'restart', '1', '--dir', net.dir)
        await net.json('devnet', 'down', '--dir', net.dir, '--delete')
        assert.deepEqual(processesOf(net.dir), [])
        assert.equal(existsSync(net.dir), false)
    }],
]

await tap(tests, () => net.down())
