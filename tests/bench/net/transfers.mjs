// transfers.mjs - transfers made final a second, sent through JSON-RPC: one validator beside anvil (npm), then
// four validators on the same machine.
//
// Everybody gets the same file of signed transfers (ACCOUNTS x EACH, 1000 x 30) from the same client: WAYS (2)
// connections, each sending batches of BATCH (500), one at a time, and no more than WINDOW (10000) ahead of what is
// final, so that no pool fills; what is refused all the same is sent again a little later. Time runs from the first byte sent until every account's last transfer is final
// (anvil: mined; it has no finality and keeps nothing on disk). ROUNDS (3) in turn, each on a fresh chain.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork, Client, makeTransfers, median, sayMachine, usage } from './bench_network.mjs'

const ACCOUNTS = Number(process.env.ACCOUNTS ?? 1000)
const EACH = Number(process.env.EACH ?? 30)
const BATCH = Number(process.env.BATCH ?? 500)
const WAYS = Number(process.env.WAYS ?? 2)
const WINDOW = Number(process.env.WINDOW ?? 10000)
const ROUNDS = Number(process.env.ROUNDS ?? 3)
const GAS_LIMIT = 30000000
const CONSENSUS = { blockIntervalMs: 200, idleIntervalMs: 500, deltaMs: 250, epochBlocks: 1200 }
const ANVIL = new URL('../peer/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url).pathname
const LIMIT_S = 180
const AGAIN_MS = 20

const transfers = makeTransfers(ACCOUNTS, EACH)
const bodyOf = (raws) => JSON.stringify(raws.map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] })))

function makeBatches() {
    const batches = []
    for (let at = 0; at < transfers.transactions.length; at += BATCH) {
        const raws = transfers.transactions.slice(at, at + BATCH)
        batches.push({ raws, body: bodyOf(raws) })
    }
    return batches
}

// Those that were refused for now; refusals are counted by their message.
function refusedOf(batch, answer, refusals) {
    const again = []
    for (const { id, error } of JSON.parse(answer)) {
        if (!error) continue
        const reason = error.message.replace(/\d+/g, 'N')
        refusals.set(reason, (refusals.get(reason) ?? 0) + 1)
        if (!/known|already|too low/.test(reason)) again.push(batch.raws[id])
    }
    return again
}

async function nonces(client, addresses) {
    const answers = await client.batch(addresses.map((a) => ['eth_getTransactionCount', a, 'latest']))
    return answers.map(({ result }) => Number(result))
}

const few = transfers.addresses.filter((_, i) => i % Math.ceil(ACCOUNTS / 20) === 0)

// About how many are final, by the nonces of a few accounts.
async function finalCount(client) {
    const all = await nonces(client, few)
    return (all.reduce((sum, nonce) => sum + nonce, 0) / few.length) * ACCOUNTS
}

// job: { batches, sent, refusals }, shared by all who send.
async function sendBatches(client, job) {
    while (job.batches.length > 0) {
        if (job.sent > WINDOW && job.sent - await finalCount(client) > WINDOW) {
            await sleep(AGAIN_MS)
            continue
        }
        let batch = job.batches.shift()
        if (!batch) return
        job.sent += batch.raws.length
        for (;;) {
            const again = refusedOf(batch, await client.send(batch.body), job.refusals)
            if (again.length === 0) break
            await sleep(AGAIN_MS)
            batch = { raws: again, body: bodyOf(again) }
        }
    }
}

// Ends when every transfer is final: a few accounts are asked until it looks so, then all.
async function untilFinal(client, startMs) {
    for (const asked of [few, transfers.addresses]) {
        while (!(await nonces(client, asked)).every((nonce) => nonce === EACH)) {
            if (performance.now() - startMs > LIMIT_S * 1000) throw new Error(`not all final in ${LIMIT_S} s`)
            await sleep(AGAIN_MS)
        }
    }
}

// Transfers a second by way of these addresses, and what was refused meanwhile.
async function load(urls) {
    const clients = Array.from({ length: Math.max(WAYS, urls.length) }, (_, i) => new Client(urls[i % urls.length]))
    const job = { batches: makeBatches(), sent: 0, refusals: new Map() }
    const startMs = performance.now()
    await Promise.all(clients.map((client) => sendBatches(client, job)))
    const sentMs = performance.now()
    await untilFinal(clients[0], startMs)
    const endMs = performance.now()
    for (const client of clients) client.close()
    return {
        rate: (1000 * ACCOUNTS * EACH) / (endMs - startMs),
        sentSeconds: (sentMs - startMs) / 1000,
        refusals: [...job.refusals].map(([reason, count]) => `${count} x "${reason}"`).join(', '),
    }
}

// ---- who is measured

async function runOurs(validators) {
    const network = await BenchNetwork.create({ validators, accounts: transfers.addresses, consensus: CONSENSUS })
    try {
        await network.startAll()
        const before = await network.height(0)
        const urls = network.nodes.map((node) => node.url)
        const result = await load(process.env.ONE_ENTRY ? urls.slice(0, 1) : urls)
        result.blocks = await network.height(0) - before
        result.processes = network.nodes.map((node) => usage(node.child.pid))
        const m = await network.metrics(0)
        result.note = ['rpc', 'block_build', 'block_verify', 'block_commit'].map((x) => `${x} ${m[`leasehold_${x}_seconds_total`].toFixed(1)} s`).join(', ')
        return result
    } finally {
        await network.remove()
    }
}

function freePort() {
    return new Promise((resolve) => {
        const server = net.createServer().listen(0, '127.0.0.1', () => {
            const { port } = server.address()
            server.close(() => resolve(port))
        })
    })
}

// Quiet: it writes a line for each transaction else.
async function runAnvil(more) {
    const port = await freePort()
    const child = spawn(ANVIL, ['--quiet', '--port', String(port), '--chain-id', '7117', '--accounts', '1', '--gas-limit', String(GAS_LIMIT),
        '--base-fee', '1000000000', ...more], { stdio: ['ignore', 'ignore', 'inherit'] })
    const killer = () => child.kill('SIGKILL')
    process.on('exit', killer)
    try {
        const url = `http://127.0.0.1:${port}`
        for (let tries = 0; !(await fetch(url).then(() => true, () => false)); tries++) {
            if (tries > 300 || child.exitCode !== null) throw new Error('anvil did not start')
            await sleep(50)
        }
        const client = new Client(url)
        for (let at = 0; at < ACCOUNTS; at += BATCH)
            await client.batch(transfers.addresses.slice(at, at + BATCH).map((a) => ['anvil_setBalance', a, '0x56bc75e2d63100000']))
        const result = await load([url])
        result.blocks = Number(await client.call('eth_blockNumber'))
        result.processes = [usage(child.pid)]
        client.close()
        return result
    } finally {
        killer()
        process.off('exit', killer)
    }
}

const RUNNERS = {
    'one validator': () => runOurs(1),
    // As it mines by default, a block as soon as something comes, it stops under batches and does not go on.
    anvil: () => runAnvil(['--block-time', String(CONSENSUS.blockIntervalMs / 1000)]),
    'four validators': () => runOurs(4),
}
const wanted = process.env.ONLY?.split(';') ?? Object.keys(RUNNERS).filter((name) => !name.startsWith('anvil') || existsSync(ANVIL))

const rates = Object.fromEntries(wanted.map((name) => [name, []]))
sayMachine()
for (let round = 1; round <= ROUNDS; round++) {
    for (const name of wanted) {
        const r = await RUNNERS[name]()
        rates[name].push(r.rate)
        console.log(`round ${round}, ${name}: ${r.rate.toFixed(0)} transfers/s in ${r.blocks} blocks (sent in ${r.sentSeconds.toFixed(1)} s); ` +
            r.processes.map((p) => `${p.memoryMiB.toFixed(0)} MiB, ${p.cpuSeconds.toFixed(1)} s of processor`).join('; '))
        if (r.refusals) console.log(`    refused and sent again: ${r.refusals}`)
        if (r.note) console.log(`    node 0: ${r.note}`)
    }
}
for (const name of wanted) console.log(`${name}: median ${median(rates[name]).toFixed(0)} transfers/s`)
sayMachine()
