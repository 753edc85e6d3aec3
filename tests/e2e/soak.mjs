// soak.mjs - `make soak`: KILLS (500) kills of random nodes under load; between them partitions, nodes that
// stand still, and deaths of all. Prints where it is; ends with 0 if there never was a fork, nothing final was lost and
// the chain went on. SEED replays the moments; CONSENSUS='{"epochBlocks": 3}' another genesis.
import { setTimeout as sleep } from 'node:timers/promises'
import { Network, makeRandom, seedOf } from './network.mjs'
import { Load, Observer, SENDER_ADDRESSES, checkLogs, checkNothingLost, checkOneChain, killAtRandom } from './torment.mjs'

const KILLS = Number(process.env.KILLS ?? 500)
const SEED = seedOf()
const ALL = [0, 1, 2, 3]
const ROUND = 20 // kills between two looks at the chain

const random = makeRandom(SEED)
const network = await Network.create({ accounts: SENDER_ADDRESSES, consensus: JSON.parse(process.env.CONSENSUS ?? '{}') })
const load = new Load(network, random)
const observer = new Observer(network)
const startedMs = Date.now()
const restarts = []
const worst = { progressMs: 0, healMs: 0, thawMs: 0, allMs: 0 }
let killed = 0, checked = 0

async function cutOff() {
    const index = Math.floor(random() * ALL.length)
    const others = ALL.filter((other) => other !== index)
    await network.refuse(index, true)
    await network.untilProgress(others, 5)
    await network.heal(index)
    worst.healMs = Math.max(worst.healMs, await network.untilProgress(ALL))
}

async function halve() {
    const [a, b, c, d] = [...ALL].sort(() => random() - 0.5)
    await network.split([a, b], [c, d])
    await sleep(random() * 3000)
    await network.heal(...ALL)
    worst.healMs = Math.max(worst.healMs, await network.untilProgress(ALL))
}

// Stopped and continued: its connections stand, its timers are late, its peers' queues for it fill.
async function freeze() {
    const { child } = network.nodes[Math.floor(random() * ALL.length)]
    child.kill('SIGSTOP')
    await sleep(random() * 5000)
    child.kill('SIGCONT')
    worst.thawMs = Math.max(worst.thawMs, await network.untilProgress(ALL))
}

async function killEverybody() {
    await network.kill(...ALL)
    killed += ALL.length
    const againMs = Date.now()
    restarts.push(...await network.start(...ALL))
    await network.untilProgress(ALL)
    worst.allMs = Math.max(worst.allMs, Date.now() - againMs)
}

async function round() {
    const kills = Math.min(ROUND, KILLS - killed)
    restarts.push(...await killAtRandom(network, random, { kills, indexes: ALL }))
    killed += kills
    worst.progressMs = Math.max(worst.progressMs, await network.untilProgress(ALL, 3, 30000))
    await [cutOff, halve, freeze, killEverybody][Math.floor(random() * 4)]()
    checked = await checkOneChain(network, ALL, observer, checked)
    const seconds = (Date.now() - startedMs) / 1000
    console.log(`${killed} kills, ${seconds.toFixed(0)} s, height ${checked}, ${load.final.size} transfers final, ${load.waiting} waiting; worst: progress ${worst.progressMs} ms, healed ${worst.healMs} ms, thawed ${worst.thawMs} ms, all killed ${worst.allMs} ms, start ${Math.max(...restarts)} ms`)
}

console.log(`soak: ${KILLS} kills, SEED=${SEED}, ${network.dir}`)
try {
    await network.start(...ALL)
    load.start()
    observer.start()
    while (killed < KILLS) await round()
    await load.finish(60000)
    await network.untilProgress(ALL)
    await observer.stop()
    const heights = await checkOneChain(network, ALL, observer)
    const txs = await checkNothingLost(network, ALL, load)
    checkLogs(network, ALL)
    console.log(`${killed} kills in ${((Date.now() - startedMs) / 1000).toFixed(0)} s: no fork in ${heights} blocks, none of ${txs} final transfers lost`)
} catch (error) {
    process.exitCode = 1
    process.env.KEEP = '1'
    console.log(`FAILED after ${killed} kills, SEED=${SEED}: ${error.stack}\n${await network.describe()}`)
}
load.over = observer.over = true
await network.remove()
process.exit()
