// Nodes that die or hang under working workers, and a worker that drains: no job is given up.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Devnet, tap } from './devnet.mjs'

const SPIN = new URL('jobs/spin', import.meta.url).pathname
const TINY = new URL('jobs/tiny', import.meta.url).pathname
const PARAMETERS = new URL('parameters.json', import.meta.url).pathname
const net = new Devnet()
let serial = 0

const start = (folder, ...more) => net.spawnLeasehold('job', 'run', folder, '--yes', '--output', join(net.root, `out-${++serial}`), ...more)
const job = (id) => net.json('job', 'show', String(id))

async function until(what, ready, seconds = 40) {
    for (let i = 0; i < seconds * 5; i++) {
        const value = await ready()
        if (value) return value
        await sleep(200)
    }
    throw new Error(`waited ${seconds} s in vain: ${what}`)
}

const isAlive = (pid) => { try { process.kill(pid, 0); return true } catch { return false } }
const runs = (worker, id) => until(`worker ${worker} runs job ${id}`, () => net.log(`worker-${worker}`).includes(`running job=${id} `))

await net.up(3, 200, '--validators', '4', '--parameters', PARAMETERS)
await tap([
    ['a worker whose node hangs turns to another one and is paid', async () => {
        const done = start(SPIN, '--replicas', '3')
        await runs(2, 1)
        process.kill(net.nodePid(1), 'SIGSTOP') // worker 2 asks node 2 first
        try {
            const { code, err } = await done
            assert.equal(code, 0, err)
        } finally { process.kill(net.nodePid(1), 'SIGCONT') }
        const shown = await job(1)
        assert.equal(shown.stateName, 'agreed')
        assert.equal(shown.replicas.length, 3)
        for (const replica of shown.replicas) assert.equal(replica.stateName ?? String(replica.state), replica.stateName ? 'paid' : '4')
    }],
    ['a worker whose node dies does so too', async () => {
        const done = start(SPIN, '--replicas', '3')
        await runs(1, 2)
        await net.json('devnet', 'kill', '1', '--dir', net.dir)
        const { code, err } = await done
        assert.equal(code, 0, err)
        assert.equal((await job(2)).stateName, 'agreed')
        await net.json('devnet', 'restart', '1', '--dir', net.dir)
    }],
    ['a worker that drains finishes its job, declines the next one, and ends when nothing of it is at risk', async () => {
        const pid = net.workerPid(0)
        const first = start(TINY, '--replicas', '1', '--provider', 'provider-1')
        await runs(1, 3)
        process.kill(pid, 'SIGTERM')
        const { code, err } = await first
        assert.equal(code, 0, err)
        assert.ok(isAlive(pid), 'it left while its stake was at risk')
        const second = await start(TINY, '--replicas', '1', '--provider', 'provider-1', '--provider', 'provider-2')
        assert.equal(second.code, 0, second.err)
        assert.match(net.log('worker-1'), /declined job=4/)
        await until('it ends', () => !isAlive(pid), 60)
        assert.match(net.log('worker-1'), /drained/)
    }],
    ['asked twice it ends at once, and takes up again what it was at', async () => {
        const pid = net.workerPid(2)
        const done = start(SPIN, '--replicas', '1', '--provider', 'provider-3')
        await runs(3, 5)
        process.kill(pid, 'SIGTERM')
        await until('it hears', () => /draining/.test(net.log('worker-3')))
        process.kill(pid, 'SIGTERM')
        await until('it ends', () => !isAlive(pid), 10)
        await net.restartWorker(2)
        const { code, err } = await done
        assert.equal(code, 0, err)
        assert.equal((await job(5)).stateName, 'agreed')
    }],
], () => net.down())
