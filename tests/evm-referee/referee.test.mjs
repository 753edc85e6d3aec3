#!/usr/bin/env node
// referee.test.mjs [--seed N] [--count M] - another EVM repeats what ours did with generated programs.
//
// evm-corpus (on PATH) writes the programs and our outcomes, half at the rules of Cancun and half of
// Prague; @ethereumjs/evm runs the same, and everything that both tell is compared: success, revert
// or failure, gas used, refund, output, logs, and each account's balance, nonce, code and storage.
// Prints TAP. The package says node 20; it runs as well with Debian 12's node 18.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { runElsewhere } from './other_evm.mjs';

const SHOWN_MAX = 10;
const FIELDS = ['result', 'gasUsed', 'refund', 'output', 'logs', 'post'];

function argument(name, otherwise) {
  const at = process.argv.indexOf('--' + name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
}

// Keys in order, so that equal worlds have equal texts.
function textOf(value) {
  if (Array.isArray(value)) return '[' + value.map(textOf).join(',') + ']';
  if (value === null || typeof value !== 'object') return String(JSON.stringify(value));
  return '{' + Object.keys(value).sort().map((k) => `${k}:${textOf(value[k])}`).join(',') + '}';
}

function differencesOf(ours, theirs) {
  return FIELDS.filter((field) => textOf(ours[field]) !== textOf(theirs[field]));
}

// The paths below a field where the two are not the same, each with both values.
function* leaves(path, a, b) {
  if (textOf(a) === textOf(b)) return;
  const deep = (v) => v !== null && typeof v === 'object';
  if (!deep(a) || !deep(b)) return yield `${path}: ours ${textOf(a)}, theirs ${textOf(b)}`;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) yield* leaves(`${path}.${key}`, a[key], b[key]);
}

function describe(seed, fields, ours, theirs) {
  console.log(`# seed ${seed}, gas ${ours.gas}: ${fields.join(', ')} differ`);
  console.log(`#   ours: ${ours.reason}; theirs: ${theirs.reason}`);
  for (const field of fields)
    for (const leaf of leaves(field, ours[field], theirs[field])) console.log(`#   ${leaf.slice(0, 300)}`);
}

// What each lie below is about; all must be seen.
const LIES = {
  gasUsed: (run) => ({ ...run, gasUsed: run.gasUsed + '0' }),
  output: (run) => ({ ...run, output: run.output + '00' }),
  logs: (run) => ({ ...run, logs: [...run.logs, []] }),
  storage: (run, [address, account]) =>
    ({ ...run, post: { ...run.post, [address]: { ...account, storage: { ...account.storage, '0x77': '0x1' } } } }),
  slotForgotten: (run, [address, account]) =>
    ({ ...run, post: { ...run.post, [address]: { ...account, storage: {} } } }),
  balance: (run, [address, account]) =>
    ({ ...run, post: { ...run.post, [address]: { ...account, balance: '0x1234567' } } }),
};

function liesBelieved(ours, theirs) {
  const account = Object.entries(ours.post).find(([, a]) => Object.keys(a.storage).length > 0);
  return Object.keys(LIES).filter((name) => differencesOf(LIES[name](ours, account), theirs).length === 0);
}

const tally = { programs: 0, runs: 0, different: 0, success: 0, revert: 0, failure: 0, believed: [] };

async function judge(line) {
  let bad = false;
  for (const ours of line.runs) {
    const theirs = await runElsewhere(line, ours);
    const fields = differencesOf(ours, theirs);
    tally.runs++;
    tally[ours.result]++;
    if (fields.length > 0 && tally.different < SHOWN_MAX) describe(line.seed, fields, ours, theirs);
    bad ||= fields.length > 0;
    if (tally.runs <= 30) tally.believed.push(...liesBelieved(ours, theirs));
  }
  tally.programs++;
  tally.different += bad;
}

const first = argument('seed', 0);
const count = argument('count', 2000);
const corpus = spawn('evm-corpus', ['--seed', first, '--count', count], { stdio: ['ignore', 'pipe', 'inherit'] });
corpus.on('error', (e) => { console.log(`not ok 1 - evm-corpus starts: ${e.message}`); process.exit(1); });
for await (const text of createInterface({ input: corpus.stdout })) await judge(JSON.parse(text));

const { programs, runs, different, believed } = tally;
const tests = [
  [programs === count && tally.success > runs / 5, `programs of seeds ${first} to ${first + count - 1} were run, many to a good end`],
  [different === 0, `another EVM agrees with ours on each of ${programs} programs`],
  [believed.length === 0, `it believes no lie told about the first of them (${Object.keys(LIES).join(', ')})`],
];
console.log(`TAP version 13\n1..${tests.length}`);
console.log(`# ${programs} programs, ${runs} runs: ${tally.success} succeed, ${tally.revert} revert, ` +
  `${tally.failure} fail; ${different} programs differ`);
tests.forEach(([good, name], i) => console.log(`${good ? 'ok' : 'not ok'} ${i + 1} - ${name}`));
process.exitCode = tests.every(([good]) => good) ? 0 : 1;
