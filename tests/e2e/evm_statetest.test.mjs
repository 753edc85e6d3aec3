// evm_statetest.test.mjs - the runner of the official state tests: that it counts, fails what is wrong,
// passes over what is none of its business, and survives a test that it cannot read.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Wallet, ZeroHash } from 'ethers'
import { tap } from './devnet.mjs'

const root = mkdtempSync(join(tmpdir(), 'statetest-'))

const sender = new Wallet('0x45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8')
const contract = '0x1000000000000000000000000000000000000001'
const txbytes = await sender.signTransaction({ type: 0, chainId: 1, nonce: 0, gasPrice: 10, gasLimit: 100000, to: contract, value: 0 })
const LOGS = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347' // of no logs

// A state test whose contract stores 7 in slot 0. `roots` is {fork: expected root}.
function stateTest(roots) {
    const post = Object.fromEntries(Object.entries(roots).map(([fork, hash]) =>
        [fork, [{ hash, logs: LOGS, txbytes, indexes: { data: 0, gas: 0, value: 0 } }]]))
    return {
        env: {
            currentCoinbase: '0x2000000000000000000000000000000000000002', currentNumber: '0x1', currentTimestamp: '0x3e8',
            currentGasLimit: '0x1000000', currentBaseFee: '0x7', currentRandom: ZeroHash, currentExcessBlobGas: '0x0',
        },
        pre: {
            [sender.address.toLowerCase()]: { balance: '0xde0b6b3a7640000', nonce: '0x0', code: '0x', storage: {} },
            [contract]: { balance: '0x0', nonce: '0x1', code: '0x60075f55', storage: {} },
        },
        transaction: {
            sender: sender.address.toLowerCase(), to: contract, nonce: '0x0', gasPrice: '0xa',
            gasLimit: ['0x186a0'], value: ['0x0'], data: ['0x'],
        },
        post,
    }
}

function put(name, content) {
    const path = join(root, name)
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
    return path
}

function run(...args) {
    const { status, stdout, stderr } = spawnSync('evm-statetest', args, { encoding: 'utf8' })
    return { status, lines: stdout.trim().split('\n'), stderr }
}

// What our own VM leaves: the tests' point is the runner; the VM is judged by the official ones.
const wrong = put('wrong.json', { stores: stateTest({ Cancun: ZeroHash, Prague: ZeroHash }) })
const got = run('--fork', 'Cancun', wrong).lines[0].match(/got (0x[0-9a-f]{64})$/)[1]
const right = put('right.json', { stores: stateTest({ Cancun: got, Prague: got }) })

const tests = [
    ['a test that holds passes at both forks', () => {
        assert.deepEqual(run(right), { status: 0, lines: ['2 passed, 0 failed'], stderr: '' })
    }],
    ['another root is a failure with file, test, fork, indexes and both roots', () => {
        const { status, lines } = run('--jobs', '1', wrong)
        assert.equal(status, 1)
        assert.equal(lines[0], `FAIL ${wrong} stores Cancun plain d0 g0 v0: hash, expected ${ZeroHash}, got ${got}`)
        assert.equal(lines[2], '0 passed, 2 failed')
    }],
    ['--fork runs one fork', () => {
        assert.deepEqual(run('--fork', 'Prague', right).lines, ['1 passed, 0 failed'])
    }],
    ['--tier runs one interpreter, and says which', () => {
        assert.deepEqual(run('--tier', 'fast', right).lines, ['2 passed, 0 failed'])
        assert.match(run('--tier', 'fast', wrong).lines[0], / stores Cancun fast d0 g0 v0: /)
        assert.match(run('--tier', 'slow', right).stderr, /tier: want auto, plain, fast or both, got "slow"/)
    }],
    ['subtests of other forks are counted as skipped', () => {
        const path = put('forks.json', { stores: stateTest({ Istanbul: ZeroHash, Osaka: ZeroHash, Prague: got }) })
        assert.deepEqual(run(path).lines, ['skipped: 2 subtests of other forks', '1 passed, 0 failed'])
    }],
    ['a folder is walked; fillers and other kinds of files are passed over', () => {
        put('clone/a/right.json', { stores: stateTest({ Cancun: got }) })
        put('clone/b/rightFiller.json', '{ not even JSON')
        put('clone/b/block.json', { chain: { blocks: [], pre: {}, postState: {} } })
        put('clone/c/rlp.json', '{"zero": {"in": "\\u0000", "out": "0x00"}}')
        put('clone/c/readme.txt', 'x')
        assert.deepEqual(run(join(root, 'clone')).lines, ['skipped: 2 files without state tests', '1 passed, 0 failed'])
    }],
    ['a state test that is no JSON fails', () => {
        const { status, lines } = run(put('broken.json', '{"stores": {"post": {'))
        assert.equal(status, 1)
        assert.match(lines[0], /^FAIL .*broken\.json: /)
    }],
    ['a test that ends the process costs one failure; the others still run', () => {
        const test = stateTest({ Cancun: got })
        test.env.currentNumber = 'one'
        put('death/a.json', { stores: test })
        for (const name of ['b', 'c', 'd']) put(`death/${name}.json`, { stores: stateTest({ Cancun: got }) })
        const { status, lines } = run('--jobs', '2', join(root, 'death'))
        assert.equal(status, 1)
        assert.ok(lines.some((line) => /^FAIL .*a\.json: the runner did not come to its end/.test(line)), lines.join('\n'))
        assert.equal(lines.at(-1), '3 passed, 1 failed')
    }],
    ['--trace prints the steps and what came of them', () => {
        const { stderr } = run('--trace', '--fork', 'Cancun', right)
        const lines = stderr.trim().split('\n').map((line) => JSON.parse(line))
        assert.deepEqual(lines.slice(0, -1).map((line) => line.opName), ['PUSH1', 'PUSH0', 'SSTORE', 'STOP'])
        assert.equal(lines[2].gasCost, '0x5654')
        assert.deepEqual(lines.at(-1), { stateRoot: got, output: '0x', gasUsed: '0xa861', pass: true, fork: 'Cancun' })
    }],
    ['what cannot be read, and what makes no sense, is said', () => {
        assert.match(run(join(root, 'nothing')).lines[0], /cannot be read: No such file or directory/)
        assert.equal(run().status, 64)
        assert.match(run('--fork', 'London', right).stderr, /fork: want Cancun or Prague, got "London"/)
    }],
]

await tap(tests, () => rmSync(root, { recursive: true }))
