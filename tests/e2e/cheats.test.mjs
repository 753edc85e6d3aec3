// Cheats, with real processes: providers who lie alone or together, copy a seal, never reveal, reveal garbage or keep
// the result to themselves; judges who lie or sleep; a challenger who cries wolf. Each ends poorer, and the renter whole.
// Workers: 1 and 2 honest, 3 lies, 4 and 5 collude, 6 never reveals, 7 withholds, 8 is played by this script.
import assert from 'node:assert/strict'
import { ethers } from 'ethers'
import { Court, PARAMETERS, until } from './court.mjs'
import { Devnet, tap } from './devnet.mjs'

const TINY = new URL('jobs/tiny', import.meta.url).pathname
const FAULTS = { 3: 'lie', 4: 'collude', 5: 'collude', 6: 'noreveal', 7: 'withhold' }
const COMMITTEE = 7 // IJobs reasons
const GAS = { gasLimit: 2000000 } // what it takes depends on who comes before it in the block
const net = new Devnet()
let court, jobs, before
const cheats = {} // name -> {id, done}

const isWhole = (job) => assert.ok(job.compensated >= job.paid, `the renter paid ${job.paid} and got ${job.compensated} back`)
async function isPoorer(number, what) {
    const now = await court.worth(court.owner(number))
    assert.ok(now < before[number], `${what}: provider-${number} had ${before[number]} and has ${now}`)
}

async function setUp() {
    await net.up(8, 200, '--validators', '4', '--parameters', PARAMETERS)
    for (const [number, fault] of Object.entries(FAULTS)) await net.json('devnet', 'fault', number, fault, '--dir', net.dir)
    process.kill(net.workerPid(7), 'SIGINT')
    court = new Court(net)
    jobs = court.jobs
    before = {}
    for (let n = 1; n <= 8; n++) before[n] = await court.worth(court.owner(n))
}

// The eighth provider has no worker: its hot key does what a thief of answers would do.
class Thief {
    async open() {
        this.wallet = await court.wallet('worker-8')
        this.owner = court.owner(8)
        this.jobs = jobs.connect(this.wallet)
    }

    async refused(call) {
        try { await (await call()).wait(); return null } catch (error) { return jobs.interface.parseError(error.data ?? '0x')?.name ?? String(error) }
    }

    // Seals another's commitment, then tries to open it with what the other reveals.
    async copy(id) {
        const other = await until('somebody seals', async () => (await court.events(jobs, 'JobSealed', id))[0])
        await (await this.jobs.seal(id, other.args.commitment, GAS)).wait()
        const shown = await until('somebody reveals', async () => (await court.events(jobs, 'JobRevealed', id))[0])
        const call = jobs.interface.parseTransaction(await shown.getTransaction()).args
        const same = await this.refused(() => this.jobs.reveal(id, call.root, 0, call.trace, call.outputSize, call.secondsUsed, call.salt))
        const salted = await this.refused(() => this.jobs.reveal(id, call.root, 0, call.trace, call.outputSize, call.secondsUsed, ethers.hexlify(ethers.randomBytes(32))))
        return [same, salted]
    }

    // Knows the right root from another job with the same bundle, but not its bytes, and says a wrong size.
    async bluff(id, root) {
        const salt = ethers.hexlify(ethers.randomBytes(32))
        const commitment = await jobs.commitmentOf(id, this.owner, root, 0, ethers.ZeroHash, salt)
        await until('it is assigned', async () => Number((await jobs.getJob(id)).state) === 2)
        await (await this.jobs.seal(id, commitment, GAS)).wait()
        await (await this.jobs.reveal(id, root, 0, ethers.ZeroHash, 1 << 20, 1, salt, GAS)).wait()
    }
}

const thief = new Thief()
const replicaIndex = async (id, number) => (await jobs.getReplicas(id)).findIndex((r) => r.provider === court.owner(number))

async function demand(id, number, leaf = 0) {
    const custody = court.custody.connect(await court.wallet('renter'))
    const [, bond] = await custody.parameters()
    const receipt = await (await custody.demand(id, await replicaIndex(id, number), 0, leaf, { value: bond, gasLimit: 2000000 })).wait()
    const event = receipt.logs.map((log) => custody.interface.parseLog(log)).find((log) => log?.name === 'Demanded')
    return event.args.demand
}

const demandEnds = (id) => until(`demand ${id} ends`, async () => {
    const state = Number((await court.custody.getDemand(id)).state)
    return state > 1 ? state : 0
}, 40)

await setUp()
await tap([
    ['eight providers take jobs, five of them to cheat', async () => {
        await thief.open()
        cheats.lie = await court.submit(TINY, [1, 2, 3])
        cheats.silent = await court.submit(TINY, [1, 2, 6])
        cheats.collude = await court.submit(TINY, [1, 4, 5])
        cheats.withhold = await court.submit(TINY, [7])
        cheats.copy = await court.submit(TINY, [1, 2, 8])
        cheats.copied = thief.copy(cheats.copy.id).catch((error) => [String(error)]) // at once: a seal has its deadline
    }],
    ['a result kept from its renter: demanded, not shown, and it costs the whole stake at risk', async () => {
        const id = cheats.withhold.id
        const agreed = await court.ended(id)
        assert.equal(agreed.state, 'agreed')
        assert.equal(await demandEnds(await demand(id, 7)), 3)
        const job = await court.job(id)
        isWhole(job)
        assert.ok(job.replicas[0].withheld)
        await isPoorer(7, 'withheld')
    }],
    ['one of three lies: a committee runs it again, the liar pays for all, the honest are paid', async () => {
        const job = await court.ended(cheats.lie.id)
        assert.equal(job.state, 'settled')
        assert.equal(job.reason, COMMITTEE)
        assert.deepEqual([job.of(1), job.of(2), job.of(3)], ['paid', 'paid', 'faulted'])
        isWhole(job)
        await isPoorer(3, 'lied')
        assert.equal((await court.events(court.disputes, 'JudgePaid', cheats.lie.id)).length, 3)
    }],
    ['two of three collude on the same wrong result: outvoted by nobody, convicted by the committee', async () => {
        const job = await court.ended(cheats.collude.id)
        assert.equal(job.state, 'settled')
        assert.deepEqual([job.of(1), job.of(4), job.of(5)], ['paid', 'faulted', 'faulted'])
        assert.equal(job.replicas.find((r) => r.provider === court.owner(4)).root, job.replicas.find((r) => r.provider === court.owner(5)).root)
        assert.equal(job.root, (await court.job(cheats.lie.id)).root, 'not the right result')
        isWhole(job)
        await isPoorer(4, 'colluded')
        await isPoorer(5, 'colluded')
    }],
    ['a seal that is never opened is a fault', async () => {
        const job = await court.ended(cheats.silent.id)
        assert.deepEqual([job.of(1), job.of(2), job.of(6)], ['paid', 'paid', 'faulted'])
        isWhole(job)
        await isPoorer(6, 'never revealed')
    }],
    ['a copied seal cannot be opened, not even with the words of the one it was copied from', async () => {
        assert.deepEqual(await cheats.copied, ['BadReveal', 'BadReveal'])
        const job = await court.ended(cheats.copy.id)
        assert.deepEqual([job.of(1), job.of(2), job.of(8)], ['paid', 'paid', 'faulted'])
        isWhole(job)
        await isPoorer(8, 'copied')
    }],
    ['what an honest worker is asked to show it shows by itself, and keeps the bond', async () => {
        cheats.honest = await court.submit(TINY, [2])
        const job = await court.ended(cheats.honest.id)
        assert.equal(job.of(2), 'paid')
        const had = await court.worth(court.owner(2))
        assert.equal(await demandEnds(await demand(cheats.honest.id, 2)), 2)
        await until('the worker says that it answered', () => net.log('worker-2').includes('answered demand='))
        assert.ok(await court.worth(court.owner(2)) > had)
    }],
    ['who cries wolf pays the judges and the accused', async () => {
        const wolf = await court.stranger()
        const accused = await court.worth(court.owner(2))
        const had = await court.worth(wolf.address)
        const value = await jobs.challengeBond(cheats.honest.id)
        await (await jobs.connect(wolf).challenge(cheats.honest.id, { value, gasLimit: 2000000 })).wait()
        const job = await court.ended(cheats.honest.id)
        assert.equal(job.state, 'agreed')
        const [ended] = await court.events(jobs, 'ChallengeEnded', cheats.honest.id)
        assert.equal(ended?.args.upheld, true)
        const left = await court.worth(wolf.address)
        assert.ok(left <= had - value, `the challenger had ${had}, bound ${value} and has ${left}; ${await court.story(cheats.honest.id)}`)
        assert.ok(await court.worth(court.owner(2)) >= accused)
    }],
    ['a lie that nobody else ran is caught by the drawn auditor', async () => {
        before[3] = await court.worth(court.owner(3))
        cheats.audit = await court.submit(TINY, [3], '--audit', '100')
        const job = await court.ended(cheats.audit.id)
        assert.equal(job.of(3), 'faulted')
        isWhole(job)
        await isPoorer(3, 'audited')
    }],
    ['a lie that no audit met is overturned by whoever doubts it, and pays for that too', async () => {
        before[4] = await court.worth(court.owner(4))
        cheats.overturned = await court.submit(TINY, [4])
        assert.equal((await court.ended(cheats.overturned.id)).state, 'agreed')
        const doubter = await court.stranger()
        const had = await court.worth(doubter.address)
        const value = await jobs.challengeBond(cheats.overturned.id)
        await (await jobs.connect(doubter).challenge(cheats.overturned.id, { value, gasLimit: 2000000 })).wait()
        const job = await court.ended(cheats.overturned.id)
        assert.equal(job.state, 'overturned')
        isWhole(job)
        await isPoorer(4, 'overturned')
        assert.ok(await court.worth(doubter.address) > had - value, 'the bond did not come back')
    }],
    ['a right root with a wrong size cannot be shown, and so is withheld', async () => {
        before[8] = await court.worth(court.owner(8))
        cheats.bluff = await court.submit(TINY, [8])
        await thief.bluff(cheats.bluff.id, (await court.job(cheats.lie.id)).root)
        await court.ended(cheats.bluff.id)
        assert.equal(await demandEnds(await demand(cheats.bluff.id, 8)), 3)
        isWhole(await court.job(cheats.bluff.id))
        await isPoorer(8, 'bluffed')
    }],
    ['judges that lie or sleep are slashed, and the verdict is right all the same; one that is killed goes on', async () => {
        await net.json('devnet', 'fault', 'judge-1', 'lie', '--dir', net.dir)
        await net.json('devnet', 'fault', 'judge-4', 'silent', '--dir', net.dir)
        before[5] = await court.worth(court.owner(5))
        const { id } = await court.submit(TINY, [1, 2, 5])
        await until('judge 2 or 3 runs it', () => [2, 3].some((n) => net.log(`judge-${n}`).includes(`running job=${id} `)), 90)
        const killed = [2, 3].find((n) => net.log(`judge-${n}`).includes(`running job=${id} `))
        process.kill(net.state().nodes[killed - 1].judge.process.pid, 'SIGKILL')
        await net.json('devnet', 'fault', `judge-${killed}`, 'none', '--dir', net.dir)
        const job = await court.ended(id, 180)
        assert.equal(job.state, 'settled')
        assert.deepEqual([job.of(1), job.of(2), job.of(5)], ['paid', 'paid', 'faulted'])
        const bad = [...await court.events(court.disputes, 'JudgeAbsent', id), ...await court.events(court.disputes, 'JudgeOff', id)]
        assert.ok(bad.length > 0, 'neither was drawn, of three of four')
        const faulty = [court.operator(1), court.operator(4)].map((a) => a.toLowerCase())
        for (const event of bad) {
            assert.ok(faulty.includes(event.args.operator.toLowerCase()), `${event.args.operator} was slashed`)
            assert.ok(event.args.slashed > 0n)
        }
        isWhole(job)
        await isPoorer(5, 'lied to sleeping judges')
    }],
    ['after all this every contract holds exactly what it owes', async () => {
        await until('all is settled', async () => (await court.surplus()).length === 0, 20)
        for (let id = 1n; id <= await jobs.jobCount(); id++) assert.equal((await jobs.getJob(id)).escrow, 0n)
    }],
], async () => { court?.provider.destroy(); await net.down() })
