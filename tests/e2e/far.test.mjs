// far.test.mjs - four validators whose links take longer than a block interval: a chain with nothing to do idles.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork, makeTransfers } from '../bench/net/bench_network.mjs'
import { runNetworkTests } from './network.mjs'

const LINK_MS = 60
const IDLE_MS = 1500
const LOOK_MS = 6000
// Blocks at the idle interval, and as many again; without idling there were some fifty.
const BLOCKS_MAX = 2 * (LOOK_MS / IDLE_MS)

const { addresses, transactions } = makeTransfers(1, 1)
const network = await BenchNetwork.create({
    linkMs: LINK_MS, accounts: addresses, consensus: { blockIntervalMs: 50, idleIntervalMs: IDLE_MS, deltaMs: 500, epochBlocks: 1000 },
})
await network.startAll()
const failed = await runNetworkTests(network, [
    ['all connections pass the slow links', async () => {
        await network.checkLinks()
    }],
    ['when its work is done a chain idles, though votes take longer than a block interval', async () => {
        const hash = await network.call(0, 'eth_sendRawTransaction', transactions[0])
        await network.until('the transfer is final', () => network.call(0, 'eth_getTransactionReceipt', hash))
        const before = await network.height(0)
        await sleep(LOOK_MS)
        const blocks = await network.height(0) - before
        assert.ok(blocks > 0 && blocks <= BLOCKS_MAX, `${blocks} blocks in ${LOOK_MS} ms`)
    }],
])
await network.remove()
process.exit(failed ? 1 : 0)
