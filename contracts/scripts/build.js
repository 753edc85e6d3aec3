#!/usr/bin/env node
// build.js - compiles the system contracts into artifacts/; with --check, fails when the tree's artifacts differ;
// --tap says so in the words of the test runner.
"use strict";
const fs = require("fs");
const path = require("path");
const { ROOT, artifacts } = require("./compile");

const FOLDER = path.join(ROOT, "artifacts");

function differs(name, text) {
  const file = path.join(FOLDER, name);
  return !fs.existsSync(file) || fs.readFileSync(file, "utf8") !== text;
}

function check(files, tap) {
  let failures = 0;
  const report = (name, problem) => {
    if (problem) failures++;
    if (tap) console.log(`${problem ? "not ok" : "ok"} - contracts/artifacts/${name} ${problem || "is what the sources compile to"}`);
    else if (problem) console.error(`contracts/artifacts/${name} ${problem}`);
  };
  for (const name of Object.keys(files))
    report(name, differs(name, files[name]) && "differs from what the sources compile to: run make contracts");
  for (const name of fs.existsSync(FOLDER) ? fs.readdirSync(FOLDER) : [])
    if (!(name in files)) report(name, "comes from no contract: remove it");
  return failures ? 1 : 0;
}

function write(files) {
  fs.mkdirSync(FOLDER, { recursive: true });
  for (const name of Object.keys(files)) {
    if (differs(name, files[name])) fs.writeFileSync(path.join(FOLDER, name), files[name]);
    if (name.endsWith(".hex")) console.log(`${name}: ${(files[name].length - 3) / 2} bytes`);
  }
  return 0;
}

try {
  const files = artifacts();
  const options = process.argv.slice(2);
  process.exitCode = options.includes("--check") ? check(files, options.includes("--tap")) : write(files);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
