// node.mjs - a throwaway leaseholdd for tests: its own directory, key, genesis and port.
import { spawn, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export const CHAIN_ID = 7117
// The well-known first account of the mnemonic "test test ... junk".
export const RICH_KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
export const RICH = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'

export function makeNetwork(consensus = {}) {
    const dir = mkdtempSync(join(tmpdir(), 'leasehold-rpc-'))
    const key = join(dir, 'validator.key')
    // Of its own: two nodes with one key are refused on one machine.
    writeFileSync(key, '0x17' + randomBytes(31).toString('hex') + '\n', { mode: 0o600 })
    const validator = JSON.parse(execFileSync('leaseholdd', ['--print-validator', key]))
    const genesis = {
        name: 'rpc-test', devnet: true, chainId: CHAIN_ID, timestamp: 1750000000, gasLimit: 30000000,
        baseFee: '1000000000',
        consensus: { blockIntervalMs: 200, idleIntervalMs: 400, deltaMs: 500, epochBlocks: 50, ...consensus },
        parameters: {},
        validators: [{
            operator: '0x00000000000000000000000000000000000000aa', ...validator,
            stakeWei: '100000000000000000000000', commissionBps: 500,
        }],
        alloc: { [RICH]: { balance: '1000000000000000000000000' } },
        contracts: {},
    }
    writeFileSync(join(dir, 'genesis.json'), JSON.stringify(genesis))
    return { dir, key, genesis: join(dir, 'genesis.json'), data: join(dir, 'data') }
}

export function removeNetwork(network) {
    rmSync(network.dir, { recursive: true, force: true })
}

// Without a key it is a follower.
export function arguments_(network, more = []) {
    return ['--data-dir', network.data, '--genesis', network.genesis, ...(network.key ? ['--validator-key', network.key] : []),
        '--rpc-listen', '127.0.0.1:0', ...more]
}

// Resolves once the node answers; rejects with its stderr if it ends first.
export async function startNode(network, more = []) {
    const child = spawn('leaseholdd', arguments_(network, more), { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = '', log = ''
    child.stdout.on('data', (text) => { out += text })
    child.stderr.on('data', (text) => { log = (log + text).slice(-20000) })
    const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
    let over = null
    ended.then((how) => { over = how })
    for (let i = 0; i < 600; i++) {
        const port = /rpc port (\d+)/.exec(out)?.[1]
        if (port) return { child, ended, url: `http://127.0.0.1:${port}`, port: Number(port), log: () => log }
        if (over) throw new Error(`leaseholdd ended with ${JSON.stringify(over)}: ${log}`)
        await sleep(50)
    }
    child.kill('SIGKILL')
    throw new Error(`leaseholdd did not start in 30 s: ${log}`)
}

export async function stopNode(node, signal = 'SIGTERM') {
    node.child.kill(signal)
    return node.ended
}

export function residentBytes(node) {
    const kib = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${node.child.pid}/status`, 'utf8'))[1]
    return Number(kib) * 1024
}

// A tiny TAP printer: run each test in turn, go on after a failure.
export async function runTests(tests) {
    let failed = 0
    console.log(`1..${tests.length}`)
    for (const [index, [name, body]] of tests.entries()) {
        try {
            await body()
            console.log(`ok ${index + 1} - ${name}`)
        } catch (error) {
            failed++
            console.log(`not ok ${index + 1} - ${name}`)
            console.log(String(error?.stack ?? error).replace(/^/gm, '# '))
        }
    }
    return failed
}
