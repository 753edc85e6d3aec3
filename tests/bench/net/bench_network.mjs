// bench_network.mjs - what the benchmarks of the network share: tests/e2e's network of real processes, links
// that take time, signed transfers made beforehand, a client that costs little, and a look at the processes.
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { CHAIN_ID, Network } from '../../e2e/network.mjs'

export const median = (numbers) => quantile(numbers, 0.5)
export function quantile(numbers, q) {
    const sorted = [...numbers].sort((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]
}

export function sayMachine() {
    console.log(`# ${cpus().length} cores of ${cpus()[0].model}; load ${loadavg().map((x) => x.toFixed(1)).join(' ')}`)
}

// ---- transfers signed beforehand: the same bytes for everybody who is compared

// { addresses, transactions }: everybody's first transaction, then everybody's second ...
export function makeTransfers(accounts, each) {
    const dir = mkdtempSync(join(tmpdir(), 'leasehold-tx-'))
    try {
        execFileSync('tx-maker', [String(CHAIN_ID), String(accounts), String(each), dir])
        const lines = (name) => readFileSync(join(dir, name), 'utf8').trim().split('\n')
        return { addresses: lines('addresses'), transactions: lines('transactions'), accounts, each }
    } finally {
        rmSync(dir, { recursive: true })
    }
}

// ---- the network

// linkMs: each connection between nodes passes a proxy that makes every byte so late, both ways.
export class BenchNetwork extends Network {
    static async create({ linkMs = 0, options = [], ...setup }) {
        const n = new BenchNetwork()
        n.options = options
        for (let i = 0; i < (setup.validators ?? 4); i++) await n.addNode()
        await n.writeGenesis(setup.consensus ?? {}, setup.parameters ?? {}, setup.accounts ?? [])
        if (linkMs > 0) await n.makeLinksLong(linkMs)
        return n
    }

    async makeLinksLong(ms) {
        this.proxy = spawn('delay-proxy', [String(ms), ...this.nodes.map((node) => String(node.port))], { stdio: ['pipe', 'pipe', 'inherit'] })
        let said = ''
        await new Promise((resolve, reject) => {
            this.proxy.on('exit', (code) => reject(new Error(`delay-proxy ended with ${code}`)))
            this.proxy.stdout.on('data', (text) => {
                said += text
                if (said.trim().split('\n').length === this.nodes.length) resolve()
            })
        })
        const ports = new Map(said.trim().split('\n').map((line) => line.split(' ').map(Number).reverse()))
        for (const node of this.nodes) node.dialPort = ports.get(node.port)
    }

    arguments(index) {
        const dial = (node) => `127.0.0.1:${node.dialPort ?? node.port}`
        const others = this.nodes.filter((other) => other.index !== index).map(dial)
        const words = super.arguments(index)
        words[words.indexOf('--peers') + 1] = others.join(',')
        if (this.nodes[index].follows) words.splice(words.indexOf('--validator-key'), 2)
        return [...words, '--advertise', dial(this.nodes[index]), ...this.options]
    }

    // A node that follows: it has no key and is nobody's leader.
    async addFollower() {
        const index = await this.addNode()
        this.nodes[index].follows = true
        return index
    }

    async startAll() {
        const all = [...this.nodes.keys()]
        await this.start(...all)
        try {
            if (all.length > 1) await this.untilMeshed(all)
            await this.untilHeight(0, 3, 60000)
        } catch (error) {
            throw new Error(await this.describe(), { cause: error })
        }
    }

    // Throws unless every connection between nodes passes a proxy: whoever dialled, dialled a proxy's port.
    async checkLinks() {
        const proxies = new Set(this.nodes.map((node) => `127.0.0.1:${node.dialPort}`))
        for (const node of this.nodes) {
            const peers = await this.call(node.index, 'leasehold_peers')
            const wrong = peers.filter((peer) => peer.outgoing && !proxies.has(peer.address))
            if (wrong.length > 0) throw new Error(`node ${node.index} is connected past the proxies: ${wrong[0].address}`)
        }
    }

    async metrics(index) {
        const text = await (await fetch(`${this.nodes[index].url}/metrics`)).text()
        const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
        return Object.fromEntries(lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]))
    }

    async remove() {
        await super.remove()
        this.proxy?.removeAllListeners('exit')
        this.proxy?.stdin.end()
    }
}

// ---- processes

// { memoryMiB: the most it ever had resident, cpuSeconds }
export function usage(pid) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return {
        memoryMiB: Number(/VmHWM:\s+(\d+) kB/.exec(status)[1]) / 1024,
        cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
    }
}

// ---- JSON-RPC over one kept connection; bodies are made beforehand where it matters

export class Client {
    constructor(url) {
        this.url = new URL(url)
        this.agent = new Agent({ keepAlive: true, noDelay: true })
    }

    // The answer's text.
    send(body) {
        return new Promise((resolve, reject) => {
            const call = request({
                agent: this.agent, host: this.url.hostname, port: this.url.port, method: 'POST',
                headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
            }, (answer) => {
                const parts = []
                answer.on('data', (part) => parts.push(part))
                answer.on('end', () => resolve(Buffer.concat(parts).toString()))
            })
            call.on('error', reject)
            call.end(body)
        })
    }

    async call(method, ...params) {
        const { result, error } = JSON.parse(await this.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })))
        if (error) throw new Error(`${method}: ${error.message}`)
        return result
    }

    // Results or errors in the order of the calls: [method, ...params].
    async batch(calls) {
        const body = calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params }))
        const answers = JSON.parse(await this.send(JSON.stringify(body)))
        if (!Array.isArray(answers)) throw new Error(JSON.stringify(answers))
        return answers.sort((a, b) => a.id - b.id)
    }

    close() {
        this.agent.destroy()
    }
}
