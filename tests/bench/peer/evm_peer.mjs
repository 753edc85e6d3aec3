// evm_peer.mjs [--rounds N] [--seconds S] [--reference FILE] [--bench PROGRAM] FILE...
//
// Times our EVM beside another one, anvil (revm within), on benchmark programs (docs/evm.md has their format).
// Ours runs in evm-bench; anvil gets the program's accounts and runs it by eth_call. Program by program the two
// take turns, N rounds (5) of S seconds (0.15) each; a program's time is the least of its rounds' medians, since
// whatever else the machine does can only add. "first" is an EVM's first run of a program, which finds it
// unanalysed and cold; "plain" is the plain interpreter alone. From anvil's time that of calls with the same
// calldata to code that is one STOP is taken off: the way through HTTP and JSON. Both outputs must be the ones
// that the file expects. Anvil runs only programs that last: what a call takes besides varies by some 30 us.
//
// FILE of --reference has a table of rows `| program | us of a third EVM | Mgas/s | revm's ratio to it | anvil's |`
// taken on one machine. Two estimates of ours/third follow: by anvil, (ours/anvil here) x (anvil's ratio there);
// and by clock, ours / (its us x how much longer anvil took here than there, the geometric mean over programs).
// ours/revm is the first of them, or else the second, by revm's ratio.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { parseArgs } from 'node:util'

const ANVIL = new URL('node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil', import.meta.url).pathname
const STOPS = '0x00000000000000000000000000000000005709ed'
const LAST_US = 500 // what runs shorter here is not given to anvil, unless the reference has anvil's ratio
const START_MS = 20000

const { values: options, positionals: files } = parseArgs({
    allowPositionals: true,
    options: {
        rounds: { type: 'string', default: '5' },
        seconds: { type: 'string', default: '0.15' },
        reference: { type: 'string' },
        bench: { type: 'string', default: 'evm-bench' },
    },
})

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]
const geometricMean = (numbers) => Math.exp(numbers.reduce((sum, x) => sum + Math.log(x), 0) / numbers.length)

// ---- programs and the reference ----

function readProgram(path) {
    const program = { path, input: '0x', value: '0x0', accounts: [], slots: [] }
    for (const line of readFileSync(path, 'utf8').split('\n')) {
        const [key, ...words] = line.split(' ')
        if (key === 'acct') program.accounts.push(words)
        else if (key === 'slot') program.slots.push(words)
        else if (key !== '' && !key.startsWith('#')) program[key] = words[0] ?? '0x'
    }
    return program
}

function readReference(path) {
    const rows = new Map()
    const number = (text) => (/^[\d.]+$/.test(text) ? Number(text) : null)
    for (const line of path === undefined ? [] : readFileSync(path, 'utf8').split('\n')) {
        const [name, us, , revm, anvil] = line.split('|').slice(1).map((cell) => cell.trim())
        if (number(us ?? '') !== null) rows.set(name, { us: number(us), revm: number(revm), anvil: number(anvil) })
    }
    return rows
}

// ---- anvil ----

const hex = (number) => '0x' + BigInt(number).toString(16)

async function startAnvil() {
    const child = spawn(ANVIL, ['--port', '0', '--hardfork', 'cancun', '--chain-id', '1', '--accounts', '1', '--no-mining',
        '--gas-limit', String(2n ** 63n + 2n ** 32n), '--disable-code-size-limit',
        '--disable-console-log', '--memory-limit', String(2n ** 32n)], { stdio: ['ignore', 'pipe', 'pipe'] })
    process.on('exit', () => child.kill('SIGKILL'))
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
    const port = await new Promise((resolve, reject) => {
        let said = ''
        const hear = (text) => {
            said += text
            const found = /Listening on 127\.0\.0\.1:(\d+)/.exec(said)
            if (found) resolve(Number(found[1]))
        }
        child.stdout.on('data', hear)
        child.stderr.on('data', hear)
        child.on('error', reject)
        child.on('exit', () => reject(new Error(`anvil ended: ${said}`)))
        setTimeout(() => reject(new Error('anvil did not start')), START_MS).unref()
    })
    return { child, port, agent: new Agent({ keepAlive: true, maxSockets: 1 }) }
}

// The answer's result, and the microseconds from the request's last byte to the answer's.
function ask(anvil, method, params) {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    return new Promise((resolve, reject) => {
        const call = request({ agent: anvil.agent, host: '127.0.0.1', port: anvil.port, method: 'POST',
            headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) } }, (answer) => {
            const parts = []
            answer.on('data', (part) => parts.push(part))
            answer.on('end', () => {
                const us = (performance.now() - start) * 1000
                const { result, error } = JSON.parse(Buffer.concat(parts))
                if (error) reject(new Error(`${method}: ${error.message}`))
                else resolve({ result, us })
            })
        })
        call.on('error', reject)
        call.end(body)
        const start = performance.now()
    })
}

async function setUp(anvil, program) {
    await ask(anvil, 'anvil_setCode', [STOPS, '0x00'])
    for (const [address, balance, nonce, code] of program.accounts) {
        await ask(anvil, 'anvil_setBalance', [address, hex(balance)])
        if (BigInt(nonce) > 0n) await ask(anvil, 'anvil_setNonce', [address, hex(nonce)])
        await ask(anvil, 'anvil_setCode', [address, code])
    }
    for (const [address, ...words] of program.slots)
        await ask(anvil, 'anvil_setStorageAt', [address, ...words.map((w) => '0x' + BigInt(w).toString(16).padStart(64, '0'))])
}

// What a transaction pays before its first opcode, so that the code sees the gas that the file states.
function intrinsicGas(input) {
    const zeros = (input.slice(2).match(/../g) ?? []).filter((byte) => byte === '00').length
    return BigInt(21000 + 4 * zeros + 16 * (input.length / 2 - 1 - zeros))
}

// The median microseconds of one program by anvil in about so many seconds, as { program, empty }.
async function timeAnvil(anvil, program, seconds) {
    const call = (to) => ask(anvil, 'eth_call', [{ from: program.from, to, value: program.value, input: program.input,
        gas: hex(BigInt(program.gas) + intrinsicGas(program.input)), gasPrice: '0x0' }, 'latest', {},
    { number: hex(program.number), time: hex(program.timestamp) }])
    const times = { program: [], empty: [] }
    await setUp(anvil, program)
    for (let spent = 0; spent < seconds * 1e6;) {
        const { result, us } = await call(program.to)
        if (result !== program.output) throw new Error(`${program.name}: anvil's output is ${result}, not ${program.output}`)
        times.program.push(us)
        times.empty.push((await call(STOPS)).us)
        spent += us
    }
    return { program: median(times.program), empty: median(times.empty) }
}

function timeOurs(program, seconds, tier) {
    const words = ['-t', String(seconds), '--tier', tier, program.path]
    const fields = execFileSync(options.bench, words, { encoding: 'utf8' }).trim().split('\t')
    return { gas: Number(fields[2]), us: Number(fields[4]) }
}

// ---- the table ----

const known = (rows, column) => rows.filter((row) => row[column] !== undefined)

// Adds to each row what can be said of ours/anvil and, by the reference, of ours/third and ours/revm.
function compare(rows, reference) {
    for (const row of known(rows, 'anvil')) row.byAnvil = row.us / row.anvil
    const both = rows.filter((row) => row.anvil !== undefined && reference.get(row.name)?.anvil)
    if (both.length === 0) return null
    const clock = geometricMean(both.map((row) => {
        const there = reference.get(row.name)
        return row.anvil / (there.us * there.anvil)
    }))
    for (const row of rows) {
        const there = reference.get(row.name)
        if (there === undefined) continue
        row.byClock = row.us / (there.us * clock)
        if (there.anvil && row.anvil !== undefined) row.third = row.byAnvil * there.anvil
        if (there.revm) row.revm = (row.third ?? row.byClock) / there.revm
    }
    return clock
}

const TITLES = {
    byAnvil: 'ours / anvil',
    third: 'ours / third, by anvil',
    byClock: 'ours / third, by clock',
    revm: 'ours / revm',
}

function print(rows, clock) {
    const columns = Object.keys(TITLES).filter((column) => known(rows, column).length > 0)
    const cell = (number, digits) => (number === undefined ? '–' : number.toFixed(digits))
    const ratio = (number) => (number < 0.1 ? number.toPrecision(2) : cell(number, 2))
    const us = (number) => cell(number, number < 100 ? 2 : 0)
    const line = (cells) => console.log(`| ${cells.join(' | ')} |`)
    const titles = ['program', 'ours us', 'Mgas/s', 'first us', 'plain us', 'anvil us', ...columns.map((c) => TITLES[c])]
    line(titles)
    line(titles.map(() => '---'))
    for (const row of rows)
        line([row.name, us(row.us), cell(row.gas / row.us, 0), us(row.first), us(row.plain), us(row.anvil),
            ...columns.map((c) => ratio(row[c]))])
    console.log()
    for (const column of columns) {
        const all = known(rows, column).sort((a, b) => b[column] - a[column])
        const worst = all.slice(0, 10).map((row) => `${row.name} ${row[column].toFixed(2)}`)
        const mean = geometricMean(all.map((row) => row[column])).toFixed(3)
        console.log(`${TITLES[column]}: ${all.length} programs, geometric mean ${mean}, worst ${worst.join(', ')}`)
    }
    if (clock !== null) console.log(`anvil took ${clock.toFixed(3)} times as long here as there`)
}

async function measure(anvil, reference) {
    const seconds = Number(options.seconds)
    const never = { us: Infinity, first: Infinity, plain: Infinity, call: Infinity, empty: Infinity }
    const rows = files.map((path) => ({ program: readProgram(path), ...never }))
    for (let round = 1; round <= Number(options.rounds); round++) {
        for (const row of rows) {
            const ours = timeOurs(row.program, seconds, 'auto')
            row.name = row.program.name
            row.gas = ours.gas
            row.us = Math.min(row.us, ours.us)
            row.first = Math.min(row.first, timeOurs(row.program, 0, 'auto').us)
            row.plain = Math.min(row.plain, timeOurs(row.program, seconds / 2, 'plain').us)
            const there = reference.get(row.name)
            if (there ? there.anvil === null : row.us < LAST_US) continue
            const theirs = await timeAnvil(anvil, row.program, seconds)
            row.call = Math.min(row.call, theirs.program)
            row.empty = Math.min(row.empty, theirs.empty)
            row.anvil = row.call - row.empty
        }
        console.error(`round ${round} of ${options.rounds}`)
    }
    return rows
}

if (files.length === 0) {
    console.error('usage: evm_peer.mjs [--rounds N] [--seconds S] [--reference FILE] [--bench PROGRAM] FILE...')
    process.exit(64)
}
const anvil = await startAnvil()
try {
    const reference = readReference(options.reference)
    const rows = await measure(anvil, reference)
    print(rows, compare(rows, reference))
} finally {
    anvil.child.kill('SIGTERM')
    anvil.agent.destroy()
}
