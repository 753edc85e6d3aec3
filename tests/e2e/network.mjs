// network.mjs - a throwaway network of real leaseholdd processes on loopback, for tests that hurt it.
//
// Everything lives in one folder: a key, a data directory and a log for each node, and the genesis.
// Nodes are named by their index. Processes are killed when this program ends, however it ends.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Contract, Interface, JsonRpcProvider, Wallet, hexlify, id, randomBytes } from 'ethers'
import { runTests } from './node.mjs'

export const CHAIN_ID = 7117
export const STAKING = '0x0000000000000000000000000000000000001001'
export const STAKE_WEI = 10000n * 10n ** 18n
export const PATIENCE = Number(process.env.PATIENCE ?? 1) // times every limit: for slow builds, such as sanitizers'
export const RPC_TIMEOUT_MS = 4000 * PATIENCE
const STAKING_ABI = JSON.parse(readFileSync(new URL('../../contracts/artifacts/Staking.abi.json', import.meta.url)))
export const STAKING_INTERFACE = new Interface(STAKING_ABI)

// A small generator of our own, so that a seed replays the moments that were chosen.
export function makeRandom(seed) {
    let state = seed >>> 0
    return () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        return state / 2 ** 32
    }
}

export function seedOf(environment = process.env) {
    return Number(environment.SEED ?? Date.now() % 1000000)
}

// Below the system's own range, or a connection might sit on a stopped node's port.
async function freePort() {
    for (let tries = 0; tries < 200; tries++) {
        const port = 20000 + Math.floor(Math.random() * 12000)
        const free = await new Promise((resolve) => {
            const server = net.createServer()
            server.once('error', () => resolve(false))
            server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
        })
        if (free) return port
    }
    throw new Error('no free port')
}

const networks = new Set()
process.on('exit', () => { for (const network of networks) network.killAll() })
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(1))

export class Network {
    // consensus, parameters: what differs from the defaults below. accounts: addresses with money.
    static async create({ validators = 4, consensus = {}, parameters = {}, accounts = [] } = {}) {
        const n = new Network()
        for (let i = 0; i < validators; i++) await n.addNode()
        await n.writeGenesis(consensus, parameters, accounts)
        return n
    }

    constructor() {
        this.dir = mkdtempSync(join(tmpdir(), 'leasehold-net-'))
        this.genesis = join(this.dir, 'genesis.json')
        this.nodes = []
        networks.add(this)
    }

    // A node with a key of its own; it is in the genesis if that is written after this.
    async addNode() {
        const index = this.nodes.length
        const node = {
            index, port: await freePort(), program: 'leaseholdd', child: null, url: null, peers: null,
            keyPath: join(this.dir, `validator-${index}.key`), data: join(this.dir, `node-${index}`),
            log: join(this.dir, `node-${index}.log`), operator: new Wallet(id(`operator ${index}`)),
        }
        // Another each time: one machine has one node with a key, and other tests may be running.
        const key = hexlify(randomBytes(32))
        writeFileSync(node.keyPath, key + '\n', { mode: 0o600 })
        node.consensusAddress = new Wallet(key).address
        mkdirSync(node.data)
        this.nodes.push(node)
        return index
    }

    // What Staking.join wants of a node's key.
    proofOf(index) {
        const { keyPath, operator } = this.nodes[index]
        return JSON.parse(execFileSync('leaseholdd', ['--print-validator', keyPath, '--operator', operator.address, '--chain-id', String(CHAIN_ID)]))
    }

    async writeGenesis(consensus, parameters, accounts) {
        const rich = { balance: String(100000n * 10n ** 18n) }
        const alloc = Object.fromEntries(accounts.map((address) => [address, rich]))
        const validators = await Promise.all(this.nodes.map(async (node) => {
            alloc[node.operator.address] = rich
            alloc[node.consensusAddress] = { balance: String(10n * 10n ** 18n) }
            const { stdout } = await promisify(execFile)('leaseholdd', ['--print-validator', node.keyPath])
            return { operator: node.operator.address, ...JSON.parse(stdout), stakeWei: String(STAKE_WEI), commissionBps: 500 }
        }))
        writeFileSync(this.genesis, JSON.stringify({
            name: 'network-test', devnet: true, chainId: CHAIN_ID, timestamp: Math.floor(Date.now() / 1000),
            gasLimit: 30000000, baseFee: '1000000000',
            consensus: { blockIntervalMs: 100, idleIntervalMs: 100, deltaMs: 150, epochBlocks: 30, ...consensus },
            // Who is killed all the time is not to be jailed for it.
            parameters: { 'Staking.maxMissedBps': '10000', ...parameters },
            validators, alloc, contracts: {},
        }))
    }

    // ---- processes

    arguments(index) {
        const node = this.nodes[index]
        const others = this.nodes.filter((other) => other !== node).map((other) => `127.0.0.1:${other.port}`)
        return ['--data-dir', node.data, '--genesis', this.genesis, '--validator-key', node.keyPath,
            '--rpc-listen', '127.0.0.1:0', '--rpc-control', '--listen', `127.0.0.1:${node.port}`,
            '--peers', others.join(',')]
    }

    // Starts the process; `ready` waits until it answers.
    launch(index) {
        const node = this.nodes[index]
        if (node.child) throw new Error(`node ${index} runs already`)
        const log = openSync(node.log, 'a')
        const child = spawn(node.program, this.arguments(index), { stdio: ['ignore', 'pipe', log] })
        closeSync(log)
        let out = ''
        node.url = null
        node.child = child
        node.launchedMs = Date.now()
        child.stdout.on('data', (text) => {
            out += text
            const port = /rpc port (\d+)/.exec(out)?.[1]
            if (port && node.child === child) node.url = `http://127.0.0.1:${port}`
        })
        node.ended = new Promise((resolve) => child.on('exit', (code, signal) => {
            if (node.child === child) { node.child = null; node.url = null; node.diedOf = signal ?? code }
            resolve(signal ?? code)
        }))
    }

    // Resolves with the milliseconds since its launch.
    async ready(index, limitMs = 30000) {
        const node = this.nodes[index]
        for (;;) {
            if (!node.child) throw new Error(`node ${index} ended with ${node.diedOf} while it was starting`)
            if (node.url && await this.call(index, 'eth_blockNumber').catch(() => null)) return Date.now() - node.launchedMs
            if (Date.now() - node.launchedMs > limitMs * PATIENCE) throw new Error(`node ${index} did not start in ${limitMs} ms`)
            await sleep(20)
        }
    }

    async start(...indexes) {
        for (const index of indexes) this.launch(index)
        return Promise.all(indexes.map((index) => this.ready(index)))
    }

    async kill(...indexes) {
        const dying = indexes.map((index) => this.nodes[index]).filter((node) => node.child)
        for (const node of dying) {
            node.url = null
            node.child.kill('SIGKILL')
        }
        await Promise.all(dying.map((node) => node.ended))
    }

    // Stops in order; resolves with the exit codes.
    async stop(...indexes) {
        const running = indexes.map((index) => this.nodes[index]).filter((node) => node.child)
        for (const node of running) node.child.kill('SIGTERM')
        return Promise.all(running.map((node) => node.ended))
    }

    killAll() {
        for (const node of this.nodes) node.child?.kill('SIGKILL')
    }

    // The folder stays for whoever wants to see why, if the test failed and KEEP is set.
    async remove() {
        await this.kill(...this.nodes.keys())
        networks.delete(this)
        if (!process.env.KEEP) rmSync(this.dir, { recursive: true, force: true })
        else console.log(`# kept ${this.dir}`)
    }

    get running() {
        return [...this.nodes.keys()].filter((index) => this.nodes[index].url)
    }

    // ---- questions

    async post(index, body) {
        const { url } = this.nodes[index]
        if (!url) throw new Error(`node ${index} does not run`)
        const answer = await fetch(url, {
            method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
            signal: AbortSignal.timeout(RPC_TIMEOUT_MS),
        })
        return answer.json()
    }

    async call(index, method, ...params) {
        const { result, error } = await this.post(index, { jsonrpc: '2.0', id: 1, method, params })
        if (error) throw new Error(`node ${index}: ${method}: ${error.message}`)
        return result
    }

    // Answers in the order of the calls, each {result} or {error}. calls: [method, ...params].
    async batch(index, calls) {
        const all = []
        for (let at = 0; at < calls.length; at += 200) {
            const part = calls.slice(at, at + 200).map(([method, ...params], i) => ({ jsonrpc: '2.0', id: i, method, params }))
            const answers = await this.post(index, part)
            if (!Array.isArray(answers)) throw new Error(`node ${index}: ${JSON.stringify(answers)}`)
            all.push(...answers.sort((a, b) => a.id - b.id))
        }
        return all
    }

    status(index) {
        return this.call(index, 'leasehold_status')
    }

    async height(index) {
        return Number(await this.call(index, 'eth_blockNumber'))
    }

    async highest(indexes) {
        return Math.max(...await Promise.all(indexes.map((index) => this.height(index).catch(() => 0))))
    }

    async epoch(index) {
        return Number((await this.status(index)).epoch)
    }

    // Block hashes of [from, to] as this node has them; null where it has none.
    async hashes(index, from, to) {
        const calls = []
        for (let n = from; n <= to; n++) calls.push(['eth_getBlockByNumber', '0x' + n.toString(16), false])
        return (await this.batch(index, calls)).map(({ result }) => result?.hash ?? null)
    }

    // The signers of the finality certificate kept with a block, as indexes into the epoch's set; null: none is kept.
    async signers(index, number) {
        const kept = await this.call(index, 'leasehold_certificate', '0x' + number.toString(16))
        if (!kept) return null
        const bitmap = Buffer.from(kept.certificate.slice(2), 'hex').subarray(57, 73)
        return [...Array(128).keys()].filter((i) => bitmap[i >> 3] >> (i & 7) & 1)
    }

    provider(index) {
        return new JsonRpcProvider(this.nodes[index].url, CHAIN_ID, { staticNetwork: true, pollingInterval: 100, cacheTimeout: -1 })
    }

    // The Staking contract through node `index`; calls are sent by `wallet` if there is one.
    staking(index, wallet = null) {
        const provider = this.provider(index)
        return new Contract(STAKING, STAKING_ABI, wallet ? wallet.connect(provider) : provider)
    }

    // ---- faults

    // others: true cuts it off from everybody, false heals, a list of indexes cuts it off from those.
    async refuse(index, others) {
        const ids = Array.isArray(others) ? await Promise.all(others.map(async (i) => (await this.status(i)).nodeId)) : others
        await this.call(index, 'leasehold_refusePeers', ids)
    }

    async split(left, right) {
        for (const index of left) await this.refuse(index, right)
        for (const index of right) await this.refuse(index, left)
    }

    async heal(...indexes) {
        for (const index of indexes) await this.refuse(index, false)
    }

    // ---- waiting

    // Resolves with the milliseconds that it took until `condition` gave something true.
    async until(what, condition, limitMs = 20000) {
        const startedMs = Date.now()
        for (;;) {
            const yes = await Promise.resolve().then(condition).catch(() => false)
            if (yes) return Date.now() - startedMs
            if (Date.now() - startedMs > limitMs * PATIENCE) throw new Error(`not within ${limitMs} ms: ${what}`)
            await sleep(25)
        }
    }

    async untilHeight(index, height, limitMs) {
        return this.until(`node ${index} at height ${height}`, async () => await this.height(index) >= height, limitMs)
    }

    // All those nodes are `count` blocks beyond the highest of them.
    async untilProgress(indexes, count = 3, limitMs = 20000) {
        const goal = await this.highest(indexes) + count
        const started = Date.now()
        await Promise.all(indexes.map((index) => this.untilHeight(index, goal, limitMs)))
        return Date.now() - started
    }

    async untilMeshed(indexes, limitMs = 20000) {
        return this.until(`nodes ${indexes} connected with each other`, async () => {
            for (const index of indexes)
                if (Number(await this.call(index, 'net_peerCount')) < indexes.length - 1) return false
            return true
        }, limitMs)
    }

    // What a person wants to see of a failure.
    async describe(lines = 15) {
        const all = [`network in ${this.dir}`]
        for (const node of this.nodes) {
            const status = node.url ? await this.status(node.index).catch((error) => ({ error: error.message })) : `down (${node.diedOf})`
            all.push(`node ${node.index}: ${JSON.stringify(status)}`)
            all.push(...this.logOf(node.index).trim().split('\n').slice(-lines).map((line) => `    ${line}`))
        }
        return all.join('\n')
    }

    logOf(index) {
        try {
            return readFileSync(this.nodes[index].log, 'utf8')
        } catch {
            return ''
        }
    }
}

// Runs tests in order; each says how long it took, and a failed one how each node was.
export async function runNetworkTests(network, tests) {
    return runTests(tests.map(([name, body]) => [name, async () => {
        const startedMs = Date.now()
        try {
            await body()
        } catch (error) {
            error.stack += '\n' + await network.describe()
            throw error
        }
        console.log(`# ${Date.now() - startedMs} ms`)
    }]))
}
