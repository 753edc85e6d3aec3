// devnet.mjs - a throwaway local network for tests, driven through the command line alone.
import { spawn, execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export class Devnet {
    constructor() {
        this.root = mkdtempSync(join(tmpdir(), 'leasehold-e2e-'))
        this.dir = join(this.root, 'devnet')
    }

    environment(more = {}) {
        return {
            ...process.env, HOME: this.root, LEASEHOLD_KEYSTORE: join(this.dir, 'keystore'),
            LEASEHOLD_PASSWORD_FILE: join(this.dir, 'password'), LEASEHOLD_FROM: 'renter',
            ...(this.rpc ? { LEASEHOLD_RPC: this.urls.join(',') } : {}), ...more,
        }
    }

    // Runs `leasehold WORDS`; resolves with {code, out, err}, whatever the exit code.
    async leasehold(...words) {
        try {
            const { stdout, stderr } = await run('leasehold', words, { env: this.environment(), timeout: 240000, maxBuffer: 1 << 24 })
            return { code: 0, out: stdout, err: stderr }
        } catch (error) {
            return { code: error.code ?? error.signal, out: error.stdout ?? '', err: error.stderr ?? String(error) }
        }
    }

    // The same, printing JSON; throws unless it exits with 0.
    async json(...words) {
        const { code, out, err } = await this.leasehold(...words, '--json')
        if (code !== 0) throw new Error(`leasehold ${words.join(' ')} exited with ${code}: ${err}${out}`)
        return JSON.parse(out)
    }

    spawnLeasehold(...words) {
        const child = spawn('leasehold', words, { env: this.environment(), stdio: ['ignore', 'pipe', 'pipe'] })
        let out = '', err = ''
        child.stdout.on('data', (text) => { out += text })
        child.stderr.on('data', (text) => { err += text })
        return new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code: code ?? signal, out, err })))
    }

    async up(workers = 3, blockMs = 200, ...more) {
        await this.json('devnet', 'up', '--detach', '--dir', this.dir, '--workers', String(workers), '--block-ms', String(blockMs), ...more)
        const state = this.state()
        this.rpc = state.rpc
        this.urls = state.nodes.map((node) => `http://127.0.0.1:${node.rpcPort}`)
    }

    state() {
        return JSON.parse(readFileSync(join(this.dir, 'devnet.json')))
    }

    nodePid(index = 0) {
        return this.state().nodes[index].process.pid
    }

    workerPid(index) {
        return this.state().workers[index].process.pid
    }

    // After a kill of the node: `devnet up` goes on with the same chain and leaves living workers alone.
    async restartNode() {
        await this.json('devnet', 'up', '--detach', '--dir', this.dir)
    }

    async restartWorker(index, fault = 'none') {
        await this.json('devnet', 'fault', String(index + 1), fault, '--dir', this.dir)
    }

    log(name) {
        return readFileSync(join(this.dir, `${name}.log`), 'utf8')
    }

    async rpcCall(method, params = [], url = this.rpc) {
        const answer = await fetch(url, {
            method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
        })
        const body = await answer.json()
        if (body.error) throw new Error(`${method}: ${body.error.message}`)
        return body.result
    }

    async down() {
        await this.leasehold('devnet', 'down', '--dir', this.dir, '--delete')
        rmSync(this.root, { recursive: true, force: true })
    }
}

// Runs tests in order and prints TAP. Each is [name, async function]; a failed one does not stop the rest.
export async function tap(tests, cleanUp) {
    console.log(`1..${tests.length}`)
    let failed = 0
    for (const [index, [name, body]] of tests.entries()) {
        try {
            await body()
            console.log(`ok ${index + 1} - ${name}`)
        } catch (error) {
            failed++
            console.log(`not ok ${index + 1} - ${name}`)
            console.log(String(error.stack ?? error).split('\n').map((line) => `# ${line}`).join('\n'))
        }
    }
    await cleanUp()
    process.exitCode = failed ? 1 : 0
}
