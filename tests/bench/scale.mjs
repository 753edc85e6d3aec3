// 200 jobs in flight on a local network of 4 validators and 8 workers: all end, and no contract is left holding what it
// does not owe. JOBS, WORKERS, VALIDATORS change the size. Each job has a renter of its own, as 200 strangers would.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { ethers } from '../e2e/node_modules/ethers/lib.esm/index.js'
import { Court, STATE } from '../e2e/court.mjs'
import { Devnet } from '../e2e/devnet.mjs'

const JOBS = Number(process.env.JOBS ?? 200)
const WORKERS = Number(process.env.WORKERS ?? 8)
const VALIDATORS = Number(process.env.VALIDATORS ?? 4)
const TINY = new URL('../e2e/jobs/tiny', import.meta.url).pathname
const net = new Devnet()
const seconds = (from) => ((Date.now() - from) / 1000).toFixed(1)

async function inBatches(count, size, body) {
    for (let first = 0; first < count; first += size)
        await Promise.all(Array.from({ length: Math.min(size, count - first) }, (_, i) => body(first + i)))
}

// Names and keys by the command line, money by one account that does not wait for each transfer.
async function makeRenters() {
    await inBatches(JOBS, 16, (i) => net.json('account', 'new', '--name', `r${i}`, '--light'))
    const accounts = (await net.json('account', 'list')).filter((account) => /^r\d+$/.test(account.name))
    assert.equal(accounts.length, JOBS)
    const court = new Court(net)
    const bank = await court.wallet('renter')
    const nonce = await bank.getNonce()
    const sent = []
    for (const [i, { address }] of accounts.entries())
        sent.push(await bank.sendTransaction({ to: address, value: ethers.parseEther('1'), nonce: nonce + i, gasLimit: 21000 }))
    await sent.at(-1).wait()
    court.provider.destroy()
}

function submit(i) {
    return net.spawnLeasehold('job', 'run', TINY, '--replicas', '1', '--yes', '--from', `r${i}`, '--start-window', '1800', '--max-price', '0.001 LSH/s',
        '--output', join(net.root, `out-${i}`))
}

async function surplus() { // of each contract: its balance less what it owes
    const text = await (await fetch(`${net.rpc}/metrics`)).text()
    return text.split('\n').filter((line) => /^[a-z_]*contract[a-z_]*\{/.test(line) && !/ 0$/.test(line))
}

async function main() {
    await net.up(WORKERS, 500, '--validators', String(VALIDATORS))
    let from = Date.now()
    await makeRenters()
    console.log(`${JOBS} renters with money: ${seconds(from)} s`)
    from = Date.now()
    const results = await Promise.all(Array.from({ length: JOBS }, (_, i) => sleep(i * 50).then(() => submit(i))))
    const failed = results.filter((r) => r.code !== 0)
    console.log(`${JOBS} jobs, ${VALIDATORS} validators, ${WORKERS} workers: all ended after ${seconds(from)} s, ${failed.length} without a result`)
    for (const r of failed.slice(0, 3)) console.log(r.err)
    const states = {}
    let stuck = 0
    const court = new Court(net)
    for (let id = 1n; id <= await court.jobs.jobCount(); id++) {
        const { state, escrow } = await court.jobs.getJob(id)
        states[STATE[state]] = (states[STATE[state]] ?? 0) + 1
        stuck += escrow !== 0n
    }
    court.provider.destroy()
    console.log(`states: ${JSON.stringify(states)}; with money still locked: ${stuck}`)
    assert.equal(failed.length, 0)
    assert.equal(stuck, 0)
    assert.deepEqual(await surplus(), [])
}

try { await main() } finally { await net.down() }
