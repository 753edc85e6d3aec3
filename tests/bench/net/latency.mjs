// latency.mjs - from sending a transaction until it is final, on an idle network whose links take LINK_MS (50).
//
// Four validators; every connection between them passes a delay proxy. Three hops are the least there is
// (proposal, notarize votes, finalize votes). One transfer at a time at random moments, COUNT (60) of them, sent
// in turn to all nodes at once, as a client does that wants it soon, and to one node only, from which it must
// reach the leader first. Final: the node has a receipt; each node is asked every 2 ms.
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork, Client, makeTransfers, median, quantile, sayMachine } from './bench_network.mjs'

const LINK_MS = Number(process.env.LINK_MS ?? 50)
const COUNT = Number(process.env.COUNT ?? 60)
const VALIDATORS = 4
const POLL_MS = 2
const LIMIT_MS = 10000
const GOAL = 1.25

async function hasReceipt(client, hash) {
    return await client.call('eth_getTransactionReceipt', hash) !== null
}

// Milliseconds since startMs until this node has the receipt.
async function untilFinal(client, hash, startMs) {
    for (;;) {
        const askedMs = performance.now()
        if (await hasReceipt(client, hash)) return performance.now() - startMs
        if (performance.now() - startMs > LIMIT_MS) throw new Error(`not final in ${LIMIT_MS} ms: ${hash}`)
        const left = POLL_MS - (performance.now() - askedMs)
        if (left > 0) await sleep(left)
    }
}

// Times at each node, ascending.
async function sendOne(clients, to, raw) {
    const startMs = performance.now()
    const [hash] = await Promise.all(to.map((client) => client.call('eth_sendRawTransaction', raw)))
    await sleep(Math.max(0, 2 * LINK_MS - (performance.now() - startMs)))
    const times = await Promise.all(clients.map((client) => untilFinal(client, hash, startMs)))
    return times.sort((a, b) => a - b)
}

function report(name, rounds) {
    const ms = (numbers) => `${median(numbers).toFixed(1)} ms (90 % below ${quantile(numbers, 0.9).toFixed(1)})`
    const all = rounds.flat()
    console.log(`${name}: median ${ms(all)} over all nodes; the first node ${ms(rounds.map((r) => r[0]))}, the last ${ms(rounds.map((r) => r.at(-1)))}`)
    console.log(`    ${(median(all) / (3 * LINK_MS)).toFixed(2)} x three hops of ${LINK_MS} ms; goal <= ${GOAL}`)
}

async function roundTrip(network) {
    const pings = []
    for (const node of network.nodes)
        for (const peer of await network.call(node.index, 'leasehold_peers')) pings.push(Number(peer.roundTripMs))
    return pings.filter((ms) => ms > 0)
}

sayMachine()
const transfers = makeTransfers(2 * COUNT, 1)
const network = await BenchNetwork.create({
    validators: VALIDATORS, linkMs: LINK_MS, accounts: transfers.addresses,
    consensus: { blockIntervalMs: 50, idleIntervalMs: 2000, deltaMs: 250, epochBlocks: 10000 },
})
try {
    await network.startAll()
    await network.checkLinks()
    const clients = network.nodes.map((node) => new Client(node.url))
    const before = await network.metrics(0)
    const everywhere = [], somewhere = []
    for (let i = 0; i < COUNT; i++) {
        const [first, second] = transfers.transactions.slice(2 * i)
        await sleep(500 + Math.random() * 1500)
        everywhere.push(await sendOne(clients, clients, first))
        await sleep(500 + Math.random() * 1500)
        somewhere.push(await sendOne(clients, [clients[i % VALIDATORS]], second))
    }
    await network.checkLinks()
    if (process.env.ALL) console.log(everywhere.map((r) => r.map((x) => x.toFixed(0)).join(' ')).join('\n'))
    report('sent to all four', everywhere)
    report('sent to one', somewhere)
    const after = await network.metrics(0)
    const each = (name) => 1000 * (after[name] - before[name]) / (after.leasehold_blocks_final_total - before.leasehold_blocks_final_total)
    console.log(`node 0, a block: verifying ${each('leasehold_block_verify_seconds_total').toFixed(1)} ms, commit ${each('leasehold_block_commit_seconds_total').toFixed(1)} ms`)
    console.log(`round trips that the nodes measured: ${await roundTrip(network)} ms`)
    for (const client of clients) client.close()
} finally {
    await network.remove()
    sayMachine()
}
