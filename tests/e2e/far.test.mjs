// far.test.mjs - four validators whose links take longer than a block interval: a chain with nothing to do idles.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork } from '../bench/net/bench_network.mjs'
import { runNetworkTests } from './network.mjs'

const LINK_MS = 60
const IDLE_MS = 1500
const LOOK_MS = 6000
// Blocks at the idle interval, and as many again; without idling there were some fifty.
const BLOCKS_MAX = 2 * (LOOK_MS / IDLE_MS)

const network = await BenchNetwork.create({
    linkMs: LINK_MS, consensus: { blockIntervalMs: 50, idleIntervalMs: IDLE_MS, deltaMs: 500, epochBlocks: 1000 },
})
await network.startAll()
const failed = await runNetworkTests(network, [
    ['all connections pass the slow links', async () => {
        await network.checkLinks()
    }],
    ['a chain with nothing to do idles though votes take longer than a block interval', async () => {
        const before = await network.height(0)
        await sleep(LOOK_MS)
        const blocks = await network.height(0) - before
        assert.ok(blocks > 0 && blocks <= BLOCKS_MAX, `${blocks} blocks in ${LOOK_MS} ms`)
    }],
])
await network.remove()
process.exit(failed ? 1 : 0)
