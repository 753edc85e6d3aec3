#!/usr/bin/env node
// test.js - runs forge over test/ and tells the results as TAP.
"use strict";
const { spawnSync } = require("child_process");
const path = require("path");

const ROOT = path.join(__dirname, "..");
const INVARIANT_CALLS_MIN = 100000;

// A sequence kept from an earlier failure belongs to the contracts of that time.
function forget() {
  require("fs").rmSync(path.join(ROOT, "cache", "invariant"), { recursive: true, force: true });
}

function runForge() {
  // The binary's own package: its wrapper is optional-dependency magic that npm 9 on Node 18 skips.
  const forge = path.join(ROOT, "node_modules", "@foundry-rs", "forge-linux-amd64", "bin", "forge");
  const run = spawnSync(forge, ["test", "--json", ...process.argv.slice(2)], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, FOUNDRY_DISABLE_NIGHTLY_WARNING: "1" },
  });
  if (run.error) throw new Error(`${forge}: ${run.error.message}: run npm ci in contracts/`);
  const line = run.stdout.split("\n").find((text) => text.startsWith("{"));
  if (!line) throw new Error(`forge gave no results (after npm ci in contracts/?): ${run.stdout}${run.stderr}`);
  return JSON.parse(line);
}

function nameOf(suite, test) {
  return `${suite.split(":").pop()}: ${test.replace(/\(.*$/, "").replace(/^(test|testFuzz|invariant)_/, "").replaceAll("_", " ")}`;
}

function report(suites) {
  let failed = 0;
  let calls = 0;
  const line = (ok, name) => {
    if (!ok) failed++;
    console.log(`${ok ? "ok" : "not ok"} - ${name}`);
  };
  for (const [suite, { test_results: results }] of Object.entries(suites)) {
    for (const [test, result] of Object.entries(results)) {
      line(result.status === "Success", nameOf(suite, test));
      if (result.status !== "Success") console.log(`# ${result.reason} ${JSON.stringify(result.counterexample || "")}`);
      if (result.kind && result.kind.Invariant) calls += result.kind.Invariant.calls;
    }
  }
  if (process.argv.length === 2) line(calls >= INVARIANT_CALLS_MIN, `the invariants held over ${calls} random calls`);
  return failed ? 1 : 0;
}

try {
  forget();
  process.exitCode = report(runForge());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
