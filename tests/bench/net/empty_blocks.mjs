// empty_blocks.mjs - how fast four validators on loopback make empty blocks when nothing holds them back but
// themselves (intervals of 10 ms, the least a genesis allows), and what a block costs on the wire and in
// processor time. SECONDS (10).
import { setTimeout as sleep } from 'node:timers/promises'
import { BenchNetwork, sayMachine, usage } from './bench_network.mjs'

const SECONDS = Number(process.env.SECONDS ?? 10)
const VALIDATORS = 4
const GOAL_MS = 30

// What all nodes count together at this moment.
async function look(network) {
    const sum = { ms: performance.now(), bytesIn: 0, bytesOut: 0, messagesOut: 0, syncs: 0, cpuSeconds: 0 }
    sum.height = await network.height(0)
    for (const node of network.nodes) {
        for (const peer of await network.call(node.index, 'leasehold_peers'))
            for (const name of ['bytesIn', 'bytesOut', 'messagesOut']) sum[name] += Number(peer[name])
        sum.syncs += (await network.metrics(node.index)).leasehold_vote_log_syncs_total
        sum.cpuSeconds += usage(node.child.pid).cpuSeconds
    }
    return sum
}

async function measure(name, consensus) {
    const network = await BenchNetwork.create({ validators: VALIDATORS, consensus: { deltaMs: 250, epochBlocks: 100000, ...consensus } })
    try {
        await network.startAll()
        await sleep(1000)
        const before = await look(network)
        await sleep(SECONDS * 1000)
        const after = await look(network)
        const blocks = after.height - before.height
        const each = (field) => (after[field] - before[field]) / blocks
        console.log(`${name}: ${blocks} blocks, ${each('ms').toFixed(1)} ms a block (goal <= ${GOAL_MS} at full speed)`)
        console.log(`    a block, all nodes together: ${each('bytesOut').toFixed(0)} bytes sent, ${each('bytesIn').toFixed(0)} received in ` +
            `${each('messagesOut').toFixed(1)} messages; a node sends ${(each('bytesOut') / VALIDATORS).toFixed(0)} bytes and syncs its vote log ` +
            `${(each('syncs') / VALIDATORS).toFixed(1)} times; ${(1000 * each('cpuSeconds')).toFixed(1)} ms of processor time`)
    } finally {
        await network.remove()
    }
}

sayMachine()
await measure('full speed', { blockIntervalMs: 10, idleIntervalMs: 10 })
await measure('idle, a block a second', { blockIntervalMs: 500, idleIntervalMs: 1000 })
sayMachine()
