// overload.mjs - far more transactions than the pool holds, to four validators, again and again: what is refused
// and how, and what memory does.
//
// ACCOUNTS (1000) send their second transfer and all after it, up to EACH (60): none can be in a block, since the
// first is missing, so the pool fills (16,384) and stays full. The same again PASSES (5) times. Then everybody's
// first comes, which must be taken all the same and made final.
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork, Client, makeTransfers, sayMachine, usage } from './bench_network.mjs'

const ACCOUNTS = Number(process.env.ACCOUNTS ?? 1000)
const EACH = Number(process.env.EACH ?? 60)
const PASSES = Number(process.env.PASSES ?? 5)
const BATCH = 500
const LIMIT_MS = 60000

// Sends all to this node; counts the answers by their error.
async function send(client, raws, answers) {
    for (let at = 0; at < raws.length; at += BATCH) {
        for (const { error } of await client.batch(raws.slice(at, at + BATCH).map((raw) => ['eth_sendRawTransaction', raw]))) {
            const said = error ? `${error.code} "${error.message.replace(/0x[0-9a-f]+/g, '0x..').replace(/\d+/g, 'N')}"` : 'taken'
            answers.set(said, (answers.get(said) ?? 0) + 1)
        }
    }
}

async function sendEverywhere(clients, raws) {
    const answers = new Map()
    const startMs = performance.now()
    await Promise.all(clients.map((client) => send(client, raws, answers)))
    const seconds = (performance.now() - startMs) / 1000
    return `${clients.length * raws.length} sent in ${seconds.toFixed(1)} s: ${[...answers].map(([said, count]) => `${count} x ${said}`).join(', ')}`
}

const memory = (network) => network.nodes.map((node) => usage(node.child.pid).memoryMiB.toFixed(0)).join(' ')

async function untilFinal(client, addresses) {
    const startMs = performance.now()
    for (;;) {
        const answers = await client.batch(addresses.map((a) => ['eth_getTransactionCount', a, 'latest']))
        const done = answers.filter(({ result }) => Number(result) > 0).length
        if (done === addresses.length || performance.now() - startMs > LIMIT_MS) return `${done} of ${addresses.length} after ${((performance.now() - startMs) / 1000).toFixed(1)} s`
        await sleep(100)
    }
}

sayMachine()
const { addresses, transactions } = makeTransfers(ACCOUNTS, EACH)
const network = await BenchNetwork.create({ accounts: addresses, consensus: { blockIntervalMs: 200, idleIntervalMs: 500, deltaMs: 250, epochBlocks: 1200 } })
try {
    await network.startAll()
    const clients = network.nodes.map((node) => new Client(node.url))
    console.log(`before: ${memory(network)} MiB (VmHWM of the nodes)`)
    for (let pass = 1; pass <= PASSES; pass++) {
        const height = await network.height(0)
        console.log(`pass ${pass}: ${await sendEverywhere(clients, transactions.slice(ACCOUNTS))}`)
        const m = await network.metrics(0)
        console.log(`    ${memory(network)} MiB; ${m.leasehold_mempool_transactions} wait, ${(m.leasehold_mempool_bytes / 2 ** 20).toFixed(1)} MiB; ` +
            `${await network.height(0) - height} blocks meanwhile`)
    }
    console.log(`everybody's first: ${await sendEverywhere(clients, transactions.slice(0, ACCOUNTS))}`)
    console.log(`    final: ${await untilFinal(clients[0], addresses)}; ${memory(network)} MiB`)
    for (const client of clients) client.close()
} finally {
    await network.remove()
}
sayMachine()
