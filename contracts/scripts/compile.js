// compile.js - the one place that runs the pinned compiler with the settings that ship.
"use strict";
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const ROOT = path.join(__dirname, "..");
const CONTRACTS = ["Staking", "Providers", "Jobs", "Scheduler", "Disputes", "Custody", "JobsCourt"];
// Code that runs as another contract: what it offers is in that one's ABI.
const PARTS = { Jobs: "JobsCourt" };
const CODE_SIZE_MAX = 24576; // EIP-170

const SETTINGS = {
  evmVersion: "cancun",
  viaIR: true,
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
  debug: { revertStrings: "strip" },
};

function sourcesUnder(folder, found = {}) {
  for (const entry of fs.readdirSync(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = `${folder}/${entry.name}`;
    if (entry.isDirectory()) sourcesUnder(name, found);
    else if (name.endsWith(".sol")) found[name] = { content: fs.readFileSync(path.join(ROOT, name), "utf8") };
  }
  return found;
}

function pinnedVersion() {
  return JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).devDependencies.solc;
}

function compile() {
  if (!solc.version().startsWith(`${pinnedVersion()}+`))
    throw new Error(`solc is ${solc.version()}, package.json pins ${pinnedVersion()}: run npm ci`);
  const input = {
    language: "Solidity",
    sources: sourcesUnder("src"),
    settings: {
      ...SETTINGS,
      outputSelection: { "*": { "*": ["abi", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = (output.errors || []).filter((e) => e.severity !== "info");
  if (problems.length) throw new Error(problems.map((e) => e.formattedMessage).join("\n"));
  return output.contracts;
}

// What a genesis block can hold: plain code, nothing to link, nothing set by a constructor.
function runtimeCode(name, contract) {
  const code = contract.evm.deployedBytecode;
  if (Object.keys(code.immutableReferences || {}).length) throw new Error(`${name} has immutables`);
  if (!/^[0-9a-f]+$/.test(code.object)) throw new Error(`${name} needs linking`);
  if (code.object.length / 2 >= CODE_SIZE_MAX) throw new Error(`${name} is ${code.object.length / 2} bytes, the limit is ${CODE_SIZE_MAX}`);
  return `0x${code.object}`;
}

function signature(entry) {
  const type = (input) => (input.components ? `(${input.components.map(type)})${input.type.slice(5)}` : input.type);
  return `${entry.type} ${entry.name || ""}(${(entry.inputs || []).map(type)})`;
}

// A contract's own ABI, its part's, and proof that both together are all that its interface promises.
function abiOf(name, contracts) {
  const entries = new Map();
  for (const source of [name, PARTS[name]].filter(Boolean))
    for (const entry of contracts[`src/${source}.sol`][source].abi) {
      const key = signature(entry);
      const own = source === name || (entry.type !== "fallback" && entry.name !== "initialize");
      if (own && !entries.has(key)) entries.set(key, entry);
    }
  for (const entry of contracts[`src/interfaces/I${name}.sol`][`I${name}`].abi)
    if (!entries.has(signature(entry))) throw new Error(`${name} lacks ${signature(entry)}`);
  return [...entries.values()].filter((entry) => entry.type !== "fallback");
}

function artifacts() {
  const contracts = compile();
  const files = {};
  for (const name of CONTRACTS) {
    if (!Object.values(PARTS).includes(name)) files[`${name}.abi.json`] = `${JSON.stringify(abiOf(name, contracts), null, 1)}\n`;
    files[`${name}.runtime.hex`] = `${runtimeCode(name, contracts[`src/${name}.sol`][name])}\n`;
  }
  return files;
}

module.exports = { ROOT, artifacts };
