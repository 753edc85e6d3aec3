// The market end to end, with real processes: honest work, a liar among three and among
// two, and jobs that fail by their own doing. Balances are read from the chain.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Devnet, tap } from './devnet.mjs'

const jobFolder = (name) => new URL(`jobs/${name}`, import.meta.url).pathname
const net = new Devnet()
let serial = 0

async function runJob(name, replicas, ...more) {
    const output = join(net.root, `out-${++serial}`)
    const result = await net.leasehold('job', 'run', jobFolder(name), '--replicas', String(replicas), '--yes', '--json', '--output', output, ...more)
    return { ...result, output, report: result.out ? JSON.parse(result.out) : null }
}

const REPLICA_STATES = ['vacant', 'assigned', 'sealed', 'revealed', 'paid', 'faulted', 'released'] // IJobs.ReplicaState
const job = (id) => net.json('job', 'show', String(id))
const inState = (shown, state) => shown.replicas.filter((r) => REPLICA_STATES[r.state] === state).length
const stakeOf = async (provider) => BigInt((await net.json('provider', 'status', provider)).stake)

async function inContracts() { // what each contract holds less what it owes, from the node's metrics
    const text = await (await fetch(`${net.rpc}/metrics`)).text()
    return text.split('\n').filter((line) => /^[a-z_]*contract[a-z_]*\{/.test(line))
}

await net.up(3, 200)
await tap([
    ['three honest workers agree and the result is what this machine computes', async () => {
        const { code, report, output, err } = await runJob('spin', 3)
        assert.equal(code, 0, err)
        const shown = await job(1)
        assert.equal(shown.stateName, 'agreed')
        assert.equal(inState(shown, 'paid'), 3)
        const words = new Uint32Array(new Uint8Array(readFileSync(join(output, 'out'))).buffer)
        for (const index of [0, 77, 255]) {
            let x = (Math.imul(index, 2654435761) + 1) >>> 0
            for (let i = 0; i < Math.floor(12000000 / 128) * 2; i++) {
                x ^= x << 13; x >>>= 0
                x ^= x >>> 17
                x ^= x << 5; x >>>= 0
            }
            assert.equal(words[index], x)
        }
        assert.ok(report)
    }],
    ['a liar loses stake, the two others are paid, the renter is made whole', async () => {
        await net.restartWorker(1, 'lie')
        const before = await stakeOf('provider-2')
        const { code, report, err } = await runJob('spin', 3)
        assert.equal(code, 0, err)
        const shown = await job(2)
        assert.equal(shown.stateName, 'settled')
        assert.equal(inState(shown, 'paid'), 2)
        assert.equal(inState(shown, 'faulted'), 1)
        assert.ok(await stakeOf('provider-2') < before, 'the liar kept its stake')
        assert.ok(BigInt(shown.compensated) >= BigInt(shown.paid), 'the renter paid for the lie')
        assert.ok(report)
    }],
    ['where one word stands against another, a validator runs it again, and the honest one is paid', async () => {
        const { code, err } = await runJob('spin', 2, '--provider', 'provider-1', '--provider', 'provider-2') // the second lies
        assert.equal(code, 0, err)
        const shown = await job(3)
        assert.equal(shown.stateName, 'settled')
        assert.equal(inState(shown, 'paid'), 1)
        assert.equal(inState(shown, 'faulted'), 1)
        assert.ok(BigInt(shown.compensated) >= BigInt(shown.paid), 'the renter paid for the lie')
    }],
    ['a job that tries the network ends with that reason, agreed by all, and harms nobody', async () => {
        await net.restartWorker(1, 'none')
        const { code, err, out } = await runJob('network', 3)
        assert.notEqual(code, 0, 'a job that failed must not exit with 0')
        assert.match(err + out, /network-access/)
        const shown = await job(4)
        assert.equal(shown.stateName, 'agreed')
        assert.equal(inState(shown, 'paid'), 3)
    }],
    ['a job without end is ended by its limit', async () => {
        const { code, err, out } = await runJob('loop', 3)
        assert.notEqual(code, 0)
        assert.match(err + out, /time-limit/)
        assert.equal((await job(5)).stateName, 'agreed')
    }],
    ['after all this every contract holds exactly what it owes', async () => {
        await sleep(1500)
        const lines = await inContracts()
        assert.ok(lines.length >= 3, 'no contract gauges')
        for (const line of lines) assert.match(line, / 0$/, line)
    }],
    ['the sandboxes left no process and the workers no unfinished result', async () => {
        const running = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
            try { return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(net.root) && /bwrap|leasehold-run/.test(readFileSync(`/proc/${pid}/comm`, 'utf8')) } catch { return false }
        })
        assert.deepEqual(running, [])
        for (const n of [1, 2, 3]) assert.deepEqual(readdirSync(join(net.dir, `worker-${n}`)).filter((f) => f.startsWith('result-')), [])
    }],
], () => net.down())
