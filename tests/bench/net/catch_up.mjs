// catch_up.mjs - how fast a new node catches up with a chain, beside how fast that was made.
//
// Four validators make BLOCKS (10000) blocks as fast as they can, with about EACH_BLOCK (10) transfers in each.
// Then two of them are stopped, so that no block is made any more, and a node with an empty directory dials the
// other two: it fetches, verifies and executes everything. All on one machine.
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork, Client, makeTransfers, sayMachine, usage } from './bench_network.mjs'

const BLOCKS = Number(process.env.BLOCKS ?? 10000)
const EACH_BLOCK = Number(process.env.EACH_BLOCK ?? 10)
const NONCES = 50
const STEP_MS = 10
const GOAL = 3

// Hands in as many transfers as blocks came, to each node in turn; resolves with the seconds that it took.
async function make(network, transactions, blocks) {
    const clients = network.nodes.map((node) => new Client(node.url))
    const startMs = performance.now(), from = await network.height(0)
    let sent = 0, height = from
    for (let turn = 0; height < from + blocks; turn++) {
        const due = Math.min(transactions.length, (height - from + 1) * EACH_BLOCK)
        if (sent < due) await clients[turn % clients.length].batch(transactions.slice(sent, due).map((raw) => ['eth_sendRawTransaction', raw]))
        sent = Math.max(sent, due)
        await sleep(STEP_MS)
        height = Number(await clients[0].call('eth_blockNumber'))
    }
    for (const client of clients) client.close()
    return { seconds: (performance.now() - startMs) / 1000, blocks: height - from }
}

async function transfersIn(network, index) {
    return (await network.metrics(index)).leasehold_transactions_final_total
}

sayMachine()
const accounts = Math.ceil((BLOCKS * EACH_BLOCK * 1.1) / NONCES)
const { addresses, transactions } = makeTransfers(accounts, NONCES)
const network = await BenchNetwork.create({ accounts: addresses, consensus: { blockIntervalMs: 10, idleIntervalMs: 10, deltaMs: 250, epochBlocks: 1200 } })
try {
    await network.startAll()
    const made = await make(network, transactions, BLOCKS)
    const madeRate = made.blocks / made.seconds
    console.log(`made: ${made.blocks} blocks with ${await transfersIn(network, 0)} transfers in ${made.seconds.toFixed(1)} s: ${madeRate.toFixed(1)} blocks/s`)
    await network.stop(2, 3)
    await sleep(1000)
    const top = await network.height(0)
    const late = await network.addFollower()
    const startMs = performance.now()
    await network.start(late)
    await network.untilHeight(late, top, 600000)
    const seconds = (performance.now() - startMs) / 1000
    const { memoryMiB, cpuSeconds } = usage(network.nodes[late].child.pid)
    console.log(`caught up: ${top} blocks with ${await transfersIn(network, late)} transfers in ${seconds.toFixed(1)} s, starting included: ${(top / seconds).toFixed(1)} blocks/s; ` +
        `${memoryMiB.toFixed(0)} MiB, ${cpuSeconds.toFixed(1)} s of processor`)
    console.log(`    ${(top / seconds / madeRate).toFixed(1)} x as fast as it was made; goal >= ${GOAL}`)
} finally {
    await network.remove()
}
sayMachine()
