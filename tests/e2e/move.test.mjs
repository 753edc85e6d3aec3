// move.test.mjs - a validator moves to another machine by a change of key: the new node votes from the
// next epoch on, the old one is stopped, and nothing was copied. The chain has no other validator: if the new
// one did not take over, it would stand still.
import assert from 'node:assert/strict'
import { runTests } from './node.mjs'
import { Network } from './network.mjs'

const EPOCH_BLOCKS = 40
const network = await Network.create({ validators: 1, consensus: { epochBlocks: EPOCH_BLOCKS } })
const fresh = await network.addNode() // the new machine: a key of its own, in no genesis
const { operator } = network.nodes[0]
network.nodes[fresh].operator = operator
const setOf = (index) => network.call(index, 'leasehold_validators')

let changedIn

const tests = [
    ['the new machine follows while the old one validates', async () => {
        await network.start(0, fresh)
        await network.untilHeight(fresh, 5, 30000)
        const set = await setOf(fresh)
        assert.equal(set.validators.length, 1)
        assert.notEqual(set.validators[0].consensusAddress.toLowerCase(), network.nodes[fresh].consensusAddress.toLowerCase())
    }],
    ['a change of key takes effect with the next epoch', async () => {
        const { consensusAddress, hashChainEnd, proof } = network.proofOf(fresh)
        const staking = network.staking(0, operator)
        await (await staking.changeKey(consensusAddress, hashChainEnd, proof)).wait()
        changedIn = Number((await setOf(0)).epoch)
        await network.until('the new key is the set', async () => {
            const { validators } = await setOf(fresh)
            return validators[0].consensusAddress.toLowerCase() === consensusAddress.toLowerCase()
        }, 30000)
    }],
    ['the old machine goes away and the chain goes on', async () => {
        await network.stop(0)
        await network.untilProgress([fresh], EPOCH_BLOCKS + 5, 60000)
        const set = await setOf(fresh)
        assert.ok(Number(set.epoch) > changedIn, 'and through another epoch, with the new chain of reveals')
        const block = await network.call(fresh, 'eth_getBlockByNumber', 'latest', false)
        assert.equal(block.miner, operator.address.toLowerCase(), 'the same operator')
    }],
]

const failed = await runTests(tests)
if (failed) console.log((await network.describe()).replace(/^/gm, '# '))
await network.remove()
process.exitCode = failed ? 1 : 0
