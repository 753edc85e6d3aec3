// A job in parts on a real network: its parts are settled one by one and joined, a part that is
// refunded is ordered again, and the same command goes on after an interruption.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Devnet, tap } from './devnet.mjs'

const folder = new URL('jobs/parts', import.meta.url).pathname
const net = new Devnet()
let root = ''

function expectNumbers(output) {
    const bytes = readFileSync(join(output, 'out'))
    assert.equal(bytes.length, 240)
    for (let i = 0; i < 60; i++) assert.equal(bytes.readInt32LE(4 * i), 3 * i)
}

// Runs the job; `acts` are what to do when those words are said. Resolves with exit code and words.
function watch(words, acts) {
    const child = spawn('leasehold', ['job', 'run', folder, ...words], { env: net.environment(), stdio: ['ignore', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.on('data', (text) => {
        said += text
        for (const [heard, act] of Object.entries(acts)) if (said.includes(heard)) act(child)
    })
    return new Promise((resolve) => child.on('exit', (code) => resolve({ code, said })))
}

await net.up(3, 200)
await tap([
    ['a job in parts runs here without a network, and a share that leaves a rest is refused', async () => {
        const output = join(net.root, 'here')
        const report = await net.json('job', 'run', folder, '--local', '--split', '3', '--output', output)
        expectNumbers(output)
        root = report.root
        const bad = await net.leasehold('job', 'run', folder, '--split', '7', '--output', join(net.root, 'bad'))
        assert.equal(bad.code, 2)
        assert.match(bad.err, /cannot be divided into 7 equal parts/)
        const whole = await net.leasehold('job', 'run', new URL('jobs/spin', import.meta.url).pathname, '--split', '2')
        assert.equal(whole.code, 2)
        assert.match(whole.err, /cannot be done in parts/)
    }],
    ['parts are jobs of their own, three workers each, and join to the same root', async () => {
        const output = join(net.root, 'three')
        const report = await net.json('job', 'run', folder, '--replicas', '3', '--output', output)
        expectNumbers(output)
        assert.equal(report.root, root)
        assert.equal(report.parts, 4)
        assert.equal((await net.json('job', 'list')).length, 4)
        for (let id = 1; id <= 4; id++) assert.equal((await net.json('job', 'show', String(id))).stateName, 'agreed')
        assert.ok(!existsSync(`${output}.parts`), 'the work folder stays')
    }],
    ['after Ctrl-C the same command goes on: no part is paid for twice', async () => {
        const output = join(net.root, 'again')
        const { code, said } = await watch(['--split', '5', '--replicas', '1', '--output', output], {
            'part 1 of 5 is job': (child) => child.kill('SIGINT'),
        })
        assert.equal(code, 130, said)
        const report = await net.json('job', 'run', folder, '--split', '5', '--replicas', '1', '--output', output)
        expectNumbers(output)
        assert.equal(report.root, root)
        for (const id of [5, 6]) { // those that the first command submitted
            assert.equal((await net.json('job', 'show', String(id))).stateName, 'agreed')
        }
        const said_again = report.stages.filter((stage) => stage.stage === 'submitted').map((stage) => stage.text)
        assert.ok(!said_again.some((text) => /part [01] of 5/.test(text)), said_again.join('; '))
    }],
    ['a part whose worker falls silent is refunded and ordered again', async () => {
        const output = join(net.root, 'silent')
        await net.restartWorker(1, 'silent')
        let cured
        const { code, said } = await watch(['--split', '2', '--replicas', '1', '--provider', 'provider-2', '--output', output], {
            'was refunded': () => { cured ??= net.restartWorker(1) },
        })
        await cured
        assert.equal(code, 0, said)
        assert.match(said, /again +part [01] was refunded: /)
        expectNumbers(output)
    }],
], () => net.down())
