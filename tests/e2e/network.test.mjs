// Four real validators on loopback under load: killed, cut off, halved, all killed at once, robbed of a
// vote log; a fifth that joins and leaves. Never a fork, nothing final is lost, and the chain goes on.
// SEED replays the moments, KILLS says how many.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Network, PATIENCE, STAKE_WEI, makeRandom, runNetworkTests, seedOf } from './network.mjs'
import { Load, Observer, SENDER_ADDRESSES, checkLogs, checkNothingLost, checkOneChain, killAtRandom } from './torment.mjs'

const KILLS = Number(process.env.KILLS ?? 30)
const SEED = seedOf()
const ALL = [0, 1, 2, 3]
const RESTART_MAX_MS = 10000 * PATIENCE

const random = makeRandom(SEED)
const network = await Network.create({
    accounts: SENDER_ADDRESSES,
    parameters: { 'Staking.unbondingSeconds': '4', 'Staking.evidenceSeconds': '3' },
})
const load = new Load(network, random)
const observer = new Observer(network)

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]
const say = (text) => console.log(`# ${text}`)

async function memberIndex(index, operator, ...epoch) {
    const { validators } = await network.call(index, 'leasehold_validators', ...epoch)
    return validators.findIndex((v) => v.operator.toLowerCase() === operator.toLowerCase())
}

async function proposers(index, from, to) {
    const calls = []
    for (let n = from; n <= to; n++) calls.push(['eth_getBlockByNumber', '0x' + n.toString(16), false])
    return (await network.batch(index, calls)).map(({ result }) => result.miner.toLowerCase())
}

async function untilProposes(watch, index, limitMs) {
    const operator = network.nodes[index].operator.address.toLowerCase()
    const first = await network.height(watch) + 1
    return network.until(`node ${index} proposes`, async () => (await proposers(watch, first, await network.height(watch))).includes(operator), limitMs)
}

// A few blocks into a new epoch, as node `index` sees it.
async function freshEpoch(index) {
    let running
    await network.until('a new epoch', async () => {
        running = await network.call(index, 'leasehold_validators')
        const into = await network.height(index) - Number(running.startNumber)
        return into >= 2 && into <= 6
    })
    return { epoch: Number(running.epoch), last: Number(running.lastNumber) }
}

// Kills a validator early in an epoch, lets it forget, starts it: it signs nothing until the epoch is over.
async function forgetful(victim, forget) {
    const node = network.nodes[victim]
    const others = ALL.filter((index) => index !== victim)
    const { epoch, last } = await freshEpoch(victim)
    await network.kill(victim)
    await network.untilProgress(others) // what it signed before is final by now, or never
    const first = await network.height(others[0]) + 1
    await forget(node, epoch)
    await network.start(victim)
    await network.untilHeight(others[0], last)
    assert.ok(last - first > 5, `only ${last - first} blocks were left of the epoch`)
    const place = await memberIndex(others[0], node.operator.address, '0x' + epoch.toString(16))
    for (let number = first; number <= last; number++)
        assert.ok(!(await network.signers(others[0], number))?.includes(place), `it signed block ${number}`)
    assert.ok(!(await proposers(others[0], first, last)).includes(node.operator.address.toLowerCase()))
    await untilProposes(others[0], victim)
    await network.until('it signs again', async () => (await network.signers(others[0], await network.height(others[0])))?.includes(place))
    say(`silent for blocks ${first} to ${last}`)
}

const tests = [
    ['four validators find each other and make blocks', async () => {
        const started = await network.start(...ALL)
        await network.untilMeshed(ALL)
        await network.untilProgress(ALL)
        say(`starts: ${started.join(', ')} ms`)
        load.start()
        observer.start()
        await network.until('transfers are final', () => load.final.size > 20)
    }],
    [`kill -9 of random nodes at random moments, ${KILLS} times (SEED=${SEED}), and the chain goes on`, async () => {
        const startedMs = Date.now()
        const before = await network.height(0)
        const restarts = await killAtRandom(network, random, { kills: KILLS, indexes: ALL })
        const tookMs = Date.now() - startedMs
        const again = await network.untilProgress(ALL)
        say(`${KILLS} kills in ${tookMs} ms, ${await network.height(0) - before} blocks meanwhile; restart to first answer: median ${median(restarts)} ms, most ${Math.max(...restarts)} ms; progress after the last ${again} ms`)
    }],
    ['a node that is cut off gets nothing; the others go on; healed, it catches up', async () => {
        await network.refuse(3, true)
        await sleep(300)
        const lonely = await network.height(3)
        await network.untilProgress([0, 1, 2], 8)
        assert.ok(await network.height(3) <= lonely + 1)
        await network.heal(3)
        const goal = await network.height(0)
        say(`caught up ${goal - lonely} blocks in ${await network.untilHeight(3, goal)} ms`)
    }],
    ['halves of two finalize nothing; healed, they go on', async () => {
        await network.split([0, 1], [2, 3])
        await sleep(500)
        const highest = await network.highest(ALL) // a half may still learn what both finalized before
        await sleep(1500)
        assert.equal(await network.highest(ALL), highest)
        await network.heal(...ALL)
        say(`progress ${await network.untilProgress(ALL)} ms after healing`)
    }],
    ['all validators killed at once and started again: progress within 10 s', async () => {
        const highest = await network.highest(ALL)
        await network.kill(...ALL)
        const startedMs = Date.now()
        for (const index of ALL) network.launch(index)
        await Promise.all(ALL.map((index) => network.untilHeight(index, highest + 3)))
        const tookMs = Date.now() - startedMs
        say(`three new blocks on all nodes ${tookMs} ms after they were started`)
        assert.ok(tookMs < RESTART_MAX_MS, `${tookMs} ms`)
    }],
    ['after all that: one chain, every transfer final once and in the same block everywhere', async () => {
        await load.finish()
        await network.untilProgress(ALL)
        await observer.stop()
        const heights = await checkOneChain(network, ALL, observer)
        const txs = await checkNothingLost(network, ALL, load)
        checkLogs(network, ALL)
        assert.ok(txs > 100, `only ${txs} transfers`)
        say(`${heights} blocks and ${txs} transfers are the same on four nodes`)
    }],
    ['a second node with a running validator\'s key is refused, and told why', async () => {
        const node = network.nodes[0]
        const second = spawnSync('leaseholdd', ['--data-dir', join(network.dir, 'second'), '--genesis', network.genesis,
            '--validator-key', node.keyPath, '--rpc-listen', '127.0.0.1:0', '--listen', '127.0.0.1:0'], { encoding: 'utf8', timeout: 20000 })
        assert.equal(second.status, 1, second.stderr)
        assert.match(second.stderr, /another process on this machine signs with the key of 0x[0-9a-f]{40}: .* stop the other one/i)
        assert.ok(node.child)
    }],
    ['without its vote log a validator signs nothing until the next epoch, not even after one more restart', async () => {
        await forgetful(2, async ({ data }, epoch) => {
            assert.ok(existsSync(join(data, 'votes.log')))
            rmSync(join(data, 'votes.log'))
            await network.start(2)
            assert.match(network.logOf(2), new RegExp(`nothing is signed before epoch ${epoch + 1}\\b`))
            await network.kill(2)
        })
    }],
    ['a validator that lost all but its key catches up, and is silent in the epoch that it finds', async () => {
        await forgetful(1, async ({ data }) => {
            const height = await network.height(0)
            rmSync(data, { recursive: true })
            await network.start(1)
            await network.untilHeight(1, height)
            assert.ok(existsSync(join(data, 'votes.log.silent')))
            await network.kill(1)
        })
    }],
    ['a fifth node joins late, stakes, is in the next set, proposes, leaves and gets its stake back', async () => {
        const fifth = await network.addNode()
        const everybody = [...ALL, fifth]
        const { operator } = network.nodes[fifth]
        const behind = await network.height(0)
        const launched = Date.now()
        await network.start(fifth)
        await network.untilHeight(fifth, behind)
        say(`synced ${behind} blocks ${Date.now() - launched} ms after its start`)
        await network.until('it says so', async () => await network.call(fifth, 'eth_syncing') === false)
        assert.equal(await memberIndex(0, operator.address), -1)

        const giver = network.nodes[0].operator.connect(network.provider(0))
        const gift = await (await giver.sendTransaction({ to: operator.address, value: 2n * STAKE_WEI })).wait()
        await network.untilHeight(fifth, gift.blockNumber)
        const { consensusAddress, hashChainEnd, proof } = network.proofOf(fifth)
        const staking = network.staking(fifth, operator)
        await (await staking.join(consensusAddress, hashChainEnd, 500, proof, { value: STAKE_WEI })).wait()
        const joined = await network.epoch(0)
        await network.until('it is in the set', async () => await memberIndex(0, operator.address) >= 0)
        assert.ok(Number((await network.call(0, 'leasehold_validators')).epoch) <= joined + 1, 'at the next epoch')
        await untilProposes(0, fifth)

        const shares = await staking.sharesOf(operator.address, operator.address)
        await (await staking.undelegate(operator.address, shares)).wait()
        const left = await network.epoch(0)
        await network.until('it is out of the set', async () => await memberIndex(0, operator.address) < 0)
        assert.ok(Number((await network.call(0, 'leasehold_validators')).epoch) <= left + 1, 'at the next epoch')
        const [unbonding] = await staking.unbondingsOf(operator.address)
        await assert.rejects(staking.complete.staticCall(unbonding.id))
        await network.until('its stake is free', async () => {
            await staking.complete.staticCall(unbonding.id)
            return true
        })
        const before = await network.provider(0).getBalance(operator.address)
        const receipt = await (await staking.collect(operator.address)).wait()
        const after = await network.provider(fifth).getBalance(operator.address)
        assert.equal(after - before, STAKE_WEI - receipt.fee)
        await network.untilProgress(everybody)
        await checkOneChain(network, everybody, observer)
        checkLogs(network, everybody)
    }],
    ['every node stops cleanly', async () => {
        assert.deepEqual(await network.stop(...network.nodes.keys()), network.nodes.map(() => 0))
    }],
]

const failed = await runNetworkTests(network, tests)
load.over = observer.over = true
await network.remove()
process.exit(failed ? 1 : 0)
