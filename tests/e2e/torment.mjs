// torment.mjs - load on a network, random kills and partitions, and what must hold whatever happens:
// never a fork, nothing final is lost, and the chain goes on.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Wallet, id, keccak256 } from 'ethers'
import { CHAIN_ID } from './network.mjs'

export const SINK = '0x00000000000000000000000000000000000051c4'
const SENDERS = 8
const IN_FLIGHT_MAX = 24 // of one sender
const AGAIN_MS = 3000 // then a transaction without a receipt is sent once more, maybe elsewhere
const TICK_MS = 100
const ASK_MS = 300

const senders = Array.from({ length: SENDERS }, (_, i) => new Wallet(id(`sender ${i}`)))
export const SENDER_ADDRESSES = senders.map((wallet) => wallet.address)

// Transfers of one wei to the sink from several accounts, through random nodes, until each has a receipt.
export class Load {
    constructor(network, random, perSecond = 60) {
        Object.assign(this, { network, random, perSecond })
        this.queues = senders.map((wallet) => ({ wallet, nonce: 0, waiting: [] }))
        this.final = new Map() // hash of a transaction -> {blockHash, number} as first seen
        this.sent = 0
        this.refusals = new Map() // other than those that a resend meets
    }

    pick() {
        const { running } = this.network
        return running.length ? running[Math.floor(this.random() * running.length)] : null
    }

    async make(queue) {
        const raw = await queue.wallet.signTransaction({
            type: 2, chainId: CHAIN_ID, nonce: queue.nonce++, to: SINK, value: 1n, gasLimit: 21000n,
            maxFeePerGas: 100n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n,
        })
        queue.waiting.push({ raw, hash: keccak256(raw), sentMs: 0 })
        this.sent++
    }

    async submit(txs) {
        const index = this.pick()
        if (index === null || !txs.length) return
        for (const tx of txs) tx.sentMs = Date.now()
        const answers = await this.network.batch(index, txs.map((tx) => ['eth_sendRawTransaction', tx.raw])).catch(() => [])
        for (const { error } of answers)
            if (error && !/known|nonce too low/i.test(error.message)) this.refusals.set(error.message, (this.refusals.get(error.message) ?? 0) + 1)
    }

    async tick() {
        for (let n = 0; !this.stopping && n < this.perSecond * TICK_MS / 1000; n++) {
            const queue = this.queues[Math.floor(this.random() * SENDERS)]
            if (queue.waiting.length < IN_FLIGHT_MAX) await this.make(queue)
        }
        const now = Date.now()
        await this.submit(this.queues.flatMap((queue) => queue.waiting.filter((tx) => now - tx.sentMs > AGAIN_MS)))
    }

    async collect() {
        const index = this.pick()
        const asked = this.queues.flatMap((queue) => queue.waiting.slice(0, 20))
        if (index === null || !asked.length) return
        const answers = await this.network.batch(index, asked.map((tx) => ['eth_getTransactionReceipt', tx.hash])).catch(() => [])
        answers.forEach(({ result }, i) => {
            if (!result) return
            assert.equal(result.status, '0x1', `${asked[i].hash} failed`)
            this.final.set(asked[i].hash, { blockHash: result.blockHash, number: Number(result.blockNumber) })
        })
        for (const queue of this.queues) queue.waiting = queue.waiting.filter((tx) => !this.final.has(tx.hash))
    }

    start() {
        const repeat = async (what, everyMs) => {
            while (!this.over) {
                const startedMs = Date.now()
                await what()
                await sleep(Math.max(5, everyMs - (Date.now() - startedMs)))
            }
        }
        this.loops = Promise.all([repeat(() => this.tick(), TICK_MS), repeat(() => this.collect(), ASK_MS)])
        this.loops.catch((error) => { this.error = error })
    }

    get waiting() {
        return this.queues.reduce((sum, queue) => sum + queue.waiting.length, 0)
    }

    // No new transactions; those that were sent must all become final.
    async finish(limitMs = 30000) {
        this.stopping = true
        await this.network.until('every transaction that was sent is final', () => this.error || this.waiting === 0, limitMs)
            .catch((error) => { error.message += ` (${this.waiting} of ${this.sent} are not; refused: ${JSON.stringify([...this.refusals])})`; throw error })
            .finally(() => { this.over = true })
        await this.loops
    }
}

// Looks at every node all the time and remembers what each called final.
export class Observer {
    constructor(network) {
        this.network = network
        this.seen = new Map() // height -> hash
        this.forks = []
        this.highest = network.nodes.map(() => 0)
    }

    async look(index) {
        const status = await this.network.status(index).catch(() => null)
        if (!status) return
        const number = Number(status.finalizedNumber)
        const known = this.seen.get(number)
        if (known && known !== status.finalizedHash) this.forks.push(`height ${number}: ${known} and, by node ${index}, ${status.finalizedHash}`)
        this.seen.set(number, status.finalizedHash)
        this.highest[index] = Math.max(this.highest[index] ?? 0, number)
    }

    start(everyMs = 200) {
        this.loop = (async () => {
            while (!this.over) {
                await Promise.all(this.network.running.map((index) => this.look(index)))
                await sleep(everyMs)
            }
        })()
    }

    async stop() {
        this.over = true
        await this.loop
    }
}

// kill -9 at random moments: mostly one node, sometimes two, sometimes again while it starts.
// `atMost` bounds how many are down at once.
export async function killAtRandom(network, random, { kills, indexes, gapMs = 500, downMs = 400, onKill = () => {} }) {
    const restarts = []
    for (let done = 0; done < kills;) {
        await sleep(random() * gapMs)
        const two = kills - done > 1 && random() < 0.2
        const order = [...indexes].sort(() => random() - 0.5)
        const victims = order.slice(0, two ? 2 : 1)
        await network.kill(...victims)
        done += victims.length
        await sleep(random() * downMs)
        for (const index of victims) network.launch(index)
        if (done < kills && random() < 0.2) { // in the midst of its start
            await sleep(random() * 200)
            await network.kill(victims[0])
            network.launch(victims[0])
            done++
        }
        restarts.push(...await Promise.all(victims.map((index) => network.ready(index))))
        onKill(done)
    }
    return restarts
}

// ---- what must hold

// The same block at every height from `first` on all nodes, and what anybody ever called final is in it.
// Returns the last height that was compared.
export async function checkOneChain(network, indexes, observer = null, first = 0) {
    const heights = await Promise.all(indexes.map((index) => network.height(index)))
    const common = Math.min(...heights)
    const chains = await Promise.all(indexes.map((index) => network.hashes(index, first, common)))
    for (let number = first; number <= common; number++)
        for (let i = 0; i < indexes.length; i++) {
            const [one, other] = [chains[0][number - first], chains[i][number - first]]
            assert.ok(other, `node ${indexes[i]} has no block ${number}, and its head is ${heights[i]}`)
            assert.equal(other, one, `a fork at height ${number}: nodes ${indexes[i]} and ${indexes[0]}`)
        }
    if (!observer) return common
    assert.deepEqual(observer.forks, [])
    for (const index of indexes)
        assert.ok((observer.highest[index] ?? 0) <= await network.height(index), `node ${index} once had block ${observer.highest[index]} final`)
    for (const [number, hash] of observer.seen)
        if (number >= first && number <= common) assert.equal(chains[0][number - first], hash, `height ${number} once was another`)
    return common
}

// Every transaction with a receipt from any node has the same one on all, and money adds up.
export async function checkNothingLost(network, indexes, load) {
    const txs = [...load.final.keys()]
    for (const index of indexes) {
        const receipts = await network.batch(index, txs.map((hash) => ['eth_getTransactionReceipt', hash]))
        receipts.forEach(({ result }, i) => {
            const { blockHash, number } = load.final.get(txs[i])
            assert.ok(result, `node ${index} does not know ${txs[i]}, which was final in block ${number}`)
            assert.equal(result.blockHash, blockHash, `${txs[i]} is in another block on node ${index}`)
        })
        const balance = await network.call(index, 'eth_getBalance', SINK, 'latest')
        assert.equal(BigInt(balance), BigInt(load.final.size), `node ${index}: each transfer counts once`)
    }
    return txs.length
}

// Nobody died of anything but us.
export function checkLogs(network, indexes, pattern = /fatal|assert|AddressSanitizer|ThreadSanitizer|runtime error/i) {
    for (const index of indexes) {
        const bad = network.logOf(index).split('\n').filter((line) => pattern.test(line))
        assert.deepEqual(bad, [], `node ${index}`)
    }
}
