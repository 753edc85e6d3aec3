// court.mjs - what tests of disputes need besides a local network: the contracts by their ABIs, what an account is
// worth in all of them together, and jobs submitted one after the other so that their numbers are known.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ethers } from 'ethers'

const ADDRESSES = { Staking: 0x1001, Providers: 0x1002, Jobs: 0x1003, Disputes: 0x1006, Custody: 0x1007 }
export const STATE = ['none', 'open', 'running', 'revealing', 'auditing', 'disputed', 'accepting', 'agreed', 'settled', 'refunded', 'cancelled', 'overturned']
export const REPLICA = ['vacant', 'assigned', 'sealed', 'revealed', 'paid', 'faulted', 'released']
export const PARAMETERS = new URL('parameters.json', import.meta.url).pathname
const ENDED = 7n

const abiOf = (name) => JSON.parse(readFileSync(new URL(`../../contracts/artifacts/${name}.abi.json`, import.meta.url)))
const artifact = (name) => { const a = abiOf(name); return Array.isArray(a) ? a : a.abi }

export async function until(what, ready, seconds = 60) {
    for (let i = 0; i < seconds * 4; i++) {
        const value = await ready()
        if (value) return value
        await sleep(250)
    }
    throw new Error(`waited ${seconds} s in vain: ${what}`)
}

export class Court {
    constructor(net) {
        this.net = net
        this.provider = new ethers.JsonRpcProvider(net.rpc, undefined, { pollingInterval: 200, cacheTimeout: -1 })
        for (const [name, low] of Object.entries(ADDRESSES))
            this[name.toLowerCase()] = new ethers.Contract(ethers.zeroPadValue(ethers.toBeHex(low), 20), artifact(name), this.provider)
        this.running = []
    }

    // The wallet of an account of the network's key store.
    async wallet(name) {
        const file = join(this.net.root, `${name}-${Math.random()}.secret`)
        const { code, err } = await this.net.leasehold('account', 'export', name, '--secret', '--output', file)
        if (code !== 0) throw new Error(err)
        return new ethers.Wallet(readFileSync(file, 'utf8').trim(), this.provider)
    }

    // A new account with money.
    async stranger() {
        const bank = await this.wallet('validator-1')
        const wallet = ethers.Wallet.createRandom().connect(this.provider)
        await (await bank.sendTransaction({ to: wallet.address, value: ethers.parseEther('10') })).wait()
        return wallet
    }

    owner(number) { return this.net.state().workers[number - 1].owner }
    operator(number) { return this.net.state().nodes[number - 1].operator }

    // All that an account has, wherever it lies.
    async worth(account) {
        const credits = await Promise.all([this.staking, this.providers, this.jobs, this.disputes, this.custody].map((c) => c.credit(account)))
        const { stake } = await this.providers.provider(account)
        const validator = await this.staking.validator(account).then((v) => v.stake ?? 0n, () => 0n)
        return credits.reduce((sum, credit) => sum + credit, stake + validator + await this.provider.getBalance(account))
    }

    // Starts `job run` and waits until the chain has given it a number.
    async submit(folder, numbers, ...more) {
        const before = await this.jobs.jobCount()
        const providers = numbers.flatMap((n) => ['--provider', `provider-${n}`])
        const done = this.net.spawnLeasehold('job', 'run', folder, '--replicas', String(numbers.length), '--yes', '--start-window', '300', '--max-price', '0.001 LSH/s',
            '--output', join(this.net.root, `out-${before}`), ...providers, ...more)
        this.running.push(done)
        let early = null
        done.then((result) => { early = result })
        await until('a job is submitted', async () => {
            if (early && await this.jobs.jobCount() === before) throw new Error(`job run: ${early.err}${early.out}`)
            return await this.jobs.jobCount() > before
        })
        return { id: before + 1n, done }
    }

    async job(id) {
        const job = await this.jobs.getJob(id)
        const replicas = await this.jobs.getReplicas(id)
        return {
            job, state: STATE[job.state], reason: Number(job.reason), renter: job.renter, inCase: job.inCase, root: job.root,
            paid: job.paid + job.auditPaid, compensated: job.compensated, escrow: job.escrow,
            of: (number) => {
                const address = this.owner(number).toLowerCase()
                const replica = replicas.find((r) => r.provider.toLowerCase() === address)
                return replica ? REPLICA[replica.state] : 'none'
            },
            replicas,
        }
    }

    async ended(id, seconds = 120) {
        return until(`job ${id} ends`, async () => {
            const job = await this.job(id)
            return job.job.state >= ENDED && !job.inCase ? job : null
        }, seconds)
    }

    events(contract, name, id) {
        return contract.queryFilter(contract.filters[name](id), 0, 'latest')
    }

    // What happened in a case, for a test that fails.
    async story(id) {
        const logs = await this.provider.getLogs({ address: this.disputes.target, fromBlock: 0, topics: [null, ethers.zeroPadValue(ethers.toBeHex(id), 32)] })
        return logs.map((log) => { const e = this.disputes.interface.parseLog(log); return `${e.name}(${e.args.join(' ')})` }).join('\n')
    }

    // What each contract has less what it owes: nothing, or lines that say more.
    async surplus() {
        const text = await (await fetch(`${this.net.rpc}/metrics`)).text()
        const lines = text.split('\n').filter((line) => /^[a-z_]*contract[a-z_]*\{/.test(line))
        if (lines.length < 5) throw new Error(`only ${lines.length} contracts are watched`)
        return lines.filter((line) => !/ 0$/.test(line))
    }
}
