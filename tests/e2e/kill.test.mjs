// kill -9 of the node and of workers at random moments of running jobs: every job still ends agreed,
// and each replica is paid exactly once. KILLS (default 20) of each kind; SEED replays a run's moments.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ethers } from 'ethers'
import { Devnet, tap } from './devnet.mjs'

const KILLS = Number(process.env.KILLS ?? 20)
const KILLS_A_JOB = 5 // of each kind
const JOBS_MAX = KILLS // a job may end before it had all its kills
const SEED = Number(process.env.SEED ?? Date.now() % 1000000)
const JOB = new URL('jobs/spin', import.meta.url).pathname
const JOBS = '0x0000000000000000000000000000000000001003'
const PAID = ethers.id('Paid(uint256,address,uint256)')

let state = SEED
function random() { // a small generator of our own, so that a seed replays
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
}

const net = new Devnet()
const counts = { node: 0, worker: 0 }

async function killNode() {
    process.kill(net.nodePid(), 'SIGKILL')
    counts.node++
    await sleep(random() * 400)
    await net.restartNode()
}

async function killWorker() {
    const index = Math.floor(random() * 3)
    process.kill(net.workerPid(index), 'SIGKILL')
    counts.worker++
    await sleep(random() * 300)
    await net.restartWorker(index)
}

// Random kills, one after the other, until each kind has had its share or the job is over.
async function torment(isOver) {
    let node = 0, worker = 0
    while (!isOver() && (node < KILLS_A_JOB || worker < KILLS_A_JOB)) {
        await sleep(random() * 700)
        if (isOver()) return
        const pickNode = worker >= KILLS_A_JOB || (node < KILLS_A_JOB && random() < 0.5)
        if (pickNode) { node++; await killNode() } else { worker++; await killWorker() }
    }
}

async function paidEvents(job) {
    const topic = ethers.zeroPadValue(ethers.toBeHex(job), 32)
    return net.rpcCall('eth_getLogs', [{ fromBlock: '0x0', toBlock: 'latest', address: JOBS, topics: [PAID, topic] }])
}

async function oneJob(id) {
    let over = false
    const running = net.spawnLeasehold('job', 'run', JOB, '--replicas', '3', '--yes', '--output', join(net.root, `out-${id}`))
        .then((result) => { over = true; return result })
    await torment(() => over)
    const { code, out, err } = await running
    assert.equal(code, 0, `job run exited with ${code}\n${out}\n${err}`)
    const paid = await paidEvents(id)
    assert.equal(paid.length, 3, `job ${id} was paid ${paid.length} times`)
    assert.equal(new Set(paid.map((log) => log.topics[2])).size, 3, 'one provider was paid twice')
}

const enough = () => counts.node >= KILLS && counts.worker >= KILLS

await net.up()
const tests = [[`jobs under kill -9 end paid exactly once, ${KILLS} kills of the node and of workers (seed ${SEED})`, async () => {
    let id = 0
    while (!enough() && id < JOBS_MAX) await oneJob(++id)
    console.log(`# ${id} jobs, kills: node ${counts.node}, workers ${counts.worker}`)
    assert.ok(enough(), `only ${JSON.stringify(counts)} kills found a running job`)
}]]
tests.push(['no worker met a torn record that was not its last, or sealed twice', async () => {
    for (const name of ['worker-1', 'worker-2', 'worker-3', 'node-1']) {
        const log = net.log(name)
        assert.ok(!/fatal|AlreadySealed|assert/i.test(log), `${name}: ${log.split('\n').filter((l) => /fatal|AlreadySealed|assert/i.test(l)).join('\n')}`)
    }
}])
await tap(tests, () => net.down())
