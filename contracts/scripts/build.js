#!/usr/bin/env node
// build.js - compiles the system contracts into artifacts/; with --check, fails when the tree's artifacts differ.
"use strict";
const fs = require("fs");
const path = require("path");
const { ROOT, artifacts } = require("./compile");

const FOLDER = path.join(ROOT, "artifacts");

function differs(name, text) {
  const file = path.join(FOLDER, name);
  return !fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text;
}

function main() {
  const files = artifacts();
  const stale = Object.keys(files).filter((name) => differs(name, files[name]));
  const foreign = fs.existsSync(FOLDER) ? fs.readdirSync(FOLDER).filter((name) => !(name in files)) : [];
  if (process.argv.includes("--check")) {
    for (const name of stale) console.error(`contracts/artifacts/${name} differs from what the sources compile to: run make contracts`);
    for (const name of foreign) console.error(`contracts/artifacts/${name} comes from no contract: remove it`);
    return stale.length || foreign.length ? 1 : 0;
  }
  fs.mkdirSync(FOLDER, { recursive: true });
  for (const name of stale) fs.writeFileSync(path.join(FOLDER, name), files[name]);
  for (const name of Object.keys(files))
    if (name.endsWith(".hex")) console.log(`${name}: ${(files[name].length - 3) / 2} bytes`);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
