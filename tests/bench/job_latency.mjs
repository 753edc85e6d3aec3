// job_latency.mjs - from `job run` to paid, with the workers' own run time taken out, at 500 ms blocks.
// Prints one line a job and the median; then the node's resident memory.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Devnet } from '../e2e/devnet.mjs'

const JOB = new URL('../e2e/jobs/spin', import.meta.url).pathname
const ROUNDS = Number(process.env.ROUNDS ?? 5)

const net = new Devnet()
await net.up(3, 500)
const overheads = []
try {
    for (let round = 1; round <= ROUNDS; round++) {
        const result = await net.json('job', 'run', JOB, '--replicas', '3', '--yes', '--output', join(net.root, `out-${round}`))
        const at = (name) => Math.max(...result.stages.filter((s) => s.stage === name).map((s) => s.seconds))
        // A worker's log says how long its slowest part took: compiling and running, in milliseconds.
        const ran = [1, 2, 3].map((n) => {
            const lines = net.log(`worker-${n}`).split('\n').filter((l) => / ran job=/.test(l))
            const [, compile, kernel] = /compile_ms=(\d+) kernel_ms=(\d+)/.exec(lines.at(-1))
            return (Number(compile) + Number(kernel)) / 1000
        })
        const own = Math.max(...ran)
        overheads.push(at('paid') - own)
        console.log(`job ${round}: paid after ${at('paid').toFixed(2)} s, compiling and running ${own.toFixed(2)} s, the rest ${(at('paid') - own).toFixed(2)} s`)
    }
    overheads.sort((a, b) => a - b)
    console.log(`median of the rest: ${overheads[Math.floor(overheads.length / 2)].toFixed(2)} s`)
    const rss = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${net.nodePid()}/status`, 'utf8'))[1]
    console.log(`node memory (VmRSS): ${(rss / 1024).toFixed(1)} MiB`)
} finally {
    await net.down()
}
