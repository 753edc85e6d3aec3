// devnet_four.test.mjs - four validators on one machine: the same blocks on all, through the death of
// the leader in the middle of a job, a node that is cut off, and a network without a quorum.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Devnet, tap } from './devnet.mjs'

const JOB = new URL('jobs/spin', import.meta.url).pathname
const WAIT_MS = 30000
const net = new Devnet()

const devnet = (...words) => net.json('devnet', ...words, '--dir', net.dir)
const nodes = async () => (await devnet('status')).nodes
const heightOf = async (index) => Number(await net.rpcCall('eth_blockNumber', [], net.urls[index]))
const heightsOf = (indexes) => Promise.all(indexes.map(heightOf))
const ALL = [0, 1, 2, 3]

async function until(what, condition) {
    for (const end = Date.now() + WAIT_MS; Date.now() < end;) {
        if (await condition()) return
        await sleep(100)
    }
    throw new Error(`after ${WAIT_MS / 1000} s still not: ${what}; ${JSON.stringify(await nodes())}`)
}

const untilHeight = (indexes, height) => until(`nodes ${indexes.map((i) => i + 1)} at block ${height}`,
    async () => (await heightsOf(indexes)).every((h) => h >= height))
const untilPeers = (index, count) => until(`node ${index + 1} with ${count} peers`,
    async () => Number(await net.rpcCall('net_peerCount', [], net.urls[index])) === count)

// Every block that all of them have has one hash.
async function assertSameChain(indexes) {
    const height = Math.min(...await heightsOf(indexes))
    for (let number = 0; number <= height; number++) {
        const hashes = await Promise.all(indexes.map(async (i) =>
            (await net.rpcCall('eth_getBlockByNumber', [`0x${number.toString(16)}`, false], net.urls[i])).hash))
        assert.equal(new Set(hashes).size, 1, `block ${number}: ${hashes}`)
    }
    return height
}

function processesOf(dir) {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
        try {
            return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(dir)
        } catch {
            return false // it has ended meanwhile
        }
    })
}

let killed = 0 // its index

await tap([
    ['four validators come up, find each other and make the same blocks', async () => {
        await net.up(3, 200, '--validators', '4')
        await untilHeight(ALL, 5)
        for (const index of ALL) await untilPeers(index, 3)
        assert.ok(await assertSameChain(ALL) >= 5)
        assert.deepEqual((await nodes()).map((n) => n.state), ['up', 'up', 'up', 'up'])
    }],
    ['the leader is killed in the middle of a job, and the job does not notice', async () => {
        const running = net.spawnLeasehold('job', 'run', JOB, '--replicas', '3', '--yes', '--json', '--output', join(net.root, 'out'))
        await until('the job has its workers', async () =>
            (await net.leasehold('job', 'show', '1', '--json')).out.includes('"running"'))
        killed = (await devnet('kill', 'leader')).nodes.findIndex((n) => n.state === 'killed')
        assert.ok(ALL.includes(killed))
        const { code, out, err } = await running
        assert.equal(code, 0, err)
        assert.equal(JSON.parse(out).state, 'agreed')
        const others = ALL.filter((i) => i !== killed)
        await untilHeight(others, Math.max(...await heightsOf(others)) + 5)
        assert.equal((await nodes())[killed].running, false)
    }],
    ['started again, it has what it missed', async () => {
        const after = await devnet('restart', String(killed + 1))
        assert.equal(after.nodes[killed].running, true)
        await untilHeight(ALL, Math.max(...await heightsOf(ALL)) + 3)
        await assertSameChain(ALL)
    }],
    ['a node that is cut off stands still while the others and who asked it go on, and catches up when healed', async () => {
        const cut = 1
        const others = [0, 2, 3]
        assert.equal((await devnet('partition', String(cut + 1))).nodes[cut].state, 'partitioned')
        await untilPeers(cut, 0)
        const stood = await heightOf(cut)
        const sent = net.leasehold('send', 'provider-1', '1 LSH', '--yes', '--rpc', `${net.urls[cut]},${net.urls[0]}`)
        await untilHeight(others, stood + 6)
        assert.ok(await heightOf(cut) <= stood + 2, 'it goes on alone') // what it had in hand already
        const { code, err } = await sent // by way of a node that moves
        assert.equal(code, 0, err)
        assert.equal((await devnet('heal', String(cut + 1))).nodes[cut].state, 'up')
        await untilHeight(ALL, Math.max(...await heightsOf(others)))
        await assertSameChain(ALL)
    }],
    ['with two of four cut off no block becomes final; healed, all go on', async () => {
        for (const index of [0, 3]) {
            await devnet('partition', String(index + 1))
            await untilPeers(index, 0)
        }
        await sleep(1000) // what was under way arrives
        const stood = await heightsOf(ALL)
        await sleep(3000)
        assert.deepEqual(await heightsOf(ALL), stood)
        for (const index of [0, 3]) await devnet('heal', String(index + 1))
        await untilHeight(ALL, Math.max(...stood) + 3)
        await assertSameChain(ALL)
    }],
    ['stopped, it leaves no process; started again, all go on from the same block', async () => {
        const before = await assertSameChain(ALL)
        await devnet('down')
        assert.deepEqual(processesOf(net.dir), [])
        await net.up(3, 200)
        assert.equal(net.urls.length, 4)
        await untilHeight(ALL, before + 3)
        await assertSameChain(ALL)
    }],
], () => net.down())
