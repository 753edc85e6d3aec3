// One of four validators is a build that proposes two blocks in one view: the others keep one chain,
// find the evidence, and one of them reports it; the stake burns, the liar leaves the set, the chain goes on.
import assert from 'node:assert/strict'
import { Network, STAKE_WEI, STAKING, STAKING_INTERFACE, makeRandom, runNetworkTests, seedOf } from './network.mjs'
import { Load, Observer, SENDER_ADDRESSES, checkLogs, checkNothingLost, checkOneChain } from './torment.mjs'

const HONEST = [0, 1, 2]
const LIAR = 3
const TOMBSTONED = 4n // IStaking.Status
const SLASHED = STAKING_INTERFACE.getEvent('ValidatorSlashed')
const REPORTER_BPS = 500n // the default

const network = await Network.create({ accounts: SENDER_ADDRESSES })
network.nodes[LIAR].program = 'leaseholdd-equivocator'
const liar = network.nodes[LIAR].operator.address
const load = new Load(network, makeRandom(seedOf()), 20)
const observer = new Observer(network)
let slashed

async function slashEvents(index) {
    const logs = await network.call(index, 'eth_getLogs', { fromBlock: '0x0', toBlock: 'latest', address: STAKING, topics: [SLASHED.topicHash] })
    return logs.map((log) => ({ ...STAKING_INTERFACE.parseLog(log).args.toObject(), transactionHash: log.transactionHash }))
}

const tests = [
    ['it lies, and an honest peer reports it by itself', async () => {
        await network.start(...HONEST, LIAR)
        load.start()
        observer.start()
        const tookMs = await network.until('it is slashed', async () => (await slashEvents(0)).length > 0, 40000)
        assert.match(network.logOf(LIAR), /proposes twice/)
        console.log(`# slashed ${tookMs} ms after the start`)
        for (const event of await slashEvents(0)) assert.equal(event.operator, liar, 'only the liar is slashed')
        slashed = (await slashEvents(0))[0]
        assert.equal(slashed.evidence, 1n) // two notarize votes
        const { from } = await network.call(0, 'eth_getTransactionByHash', slashed.transactionHash)
        const honest = HONEST.map((index) => network.nodes[index].consensusAddress.toLowerCase())
        assert.ok(honest.includes(from), `${from} is an honest validator's key`)
        assert.equal(slashed.reporter.toLowerCase(), from)
    }],
    ['its stake burns by the rule, the reporter is credited, and it can never come back', async () => {
        const staking = network.staking(0)
        const validator = await staking.validator(liar)
        assert.equal(validator.status, TOMBSTONED)
        assert.equal(slashed.fractionBps, 7500n) // three times its share of the stake
        assert.equal(slashed.amount, STAKE_WEI * 7500n / 10000n)
        assert.equal(slashed.reward, slashed.amount * REPORTER_BPS / 10000n)
        assert.ok(validator.stake <= STAKE_WEI - slashed.amount)
        assert.ok(await staking.credit(slashed.reporter) >= slashed.reward)
        const balance = BigInt(await network.call(0, 'eth_getBalance', STAKING, 'latest'))
        assert.ok(balance <= 4n * STAKE_WEI - slashed.amount + slashed.reward, 'the rest is burned')
    }],
    ['it is not in the next epoch\'s set, and the others go on', async () => {
        await network.until('the liar is out of the set', async () => {
            const { validators } = await network.call(0, 'leasehold_validators')
            return validators.length === 3 && !validators.some((v) => v.operator.toLowerCase() === liar.toLowerCase())
        })
        await network.untilProgress(HONEST, 10)
    }],
    ['the honest nodes have one chain, lost nothing, and are still connected', async () => {
        await network.kill(LIAR)
        await load.finish()
        await network.untilProgress(HONEST)
        await observer.stop()
        await checkOneChain(network, HONEST, observer)
        await checkNothingLost(network, HONEST, load)
        checkLogs(network, HONEST)
        for (const index of HONEST) assert.equal(Number(await network.call(index, 'net_peerCount')), 2)
    }],
]

const failed = await runNetworkTests(network, tests)
load.over = observer.over = true
await network.remove()
process.exit(failed ? 1 : 0)
