// other_evm.mjs - runs one message of a corpus line in @ethereumjs/evm and tells what came of it,
// in the words of tests/tools/evm_corpus_main.c.
import { EVM } from '@ethereumjs/evm';
import { Common, Hardfork } from '@ethereumjs/common';
import { CacheType, DefaultStateManager } from '@ethereumjs/statemanager';
import { Account, Address, bytesToBigInt, bytesToHex, hexToBytes, setLengthLeft } from '@ethereumjs/util';

const PRECOMPILES = 10; // Cancun's, all warm

const SMALL_CACHE = { type: CacheType.ORDERED_MAP }; // the other kind is large, and new for each run

const quantity = (n) => '0x' + n.toString(16);
const wide = (hex) => setLengthLeft(hexToBytes(hex.length % 2 ? '0x0' + hex.slice(2) : hex), 32);
const short = (bytes) => {
  let at = 0;
  while (at < bytes.length && bytes[at] === 0) at++;
  return bytes.slice(at);
};

async function buildWorld(common, pre) {
  const state = new DefaultStateManager({ common, codeCacheOpts: SMALL_CACHE });
  const slots = noteSlots(state);
  for (const [hex, account] of Object.entries(pre)) {
    const address = Address.fromString(hex);
    await state.putAccount(address, new Account(BigInt(account.nonce), BigInt(account.balance)));
    if (account.code !== '0x') await state.putContractCode(address, hexToBytes(account.code));
    for (const [slot, value] of Object.entries(account.storage))
      await state.putContractStorage(address, wide(slot), short(wide(value)));
  }
  state.originalStorageCache.clear();
  return { state, slots };
}

function blockOf(context) {
  return {
    header: {
      number: BigInt(context.number),
      cliqueSigner: () => Address.zero(),
      coinbase: Address.fromString(context.coinbase),
      timestamp: BigInt(context.timestamp),
      difficulty: 0n,
      prevRandao: hexToBytes(context.prevRandao),
      gasLimit: BigInt(context.gasLimit),
      baseFeePerGas: BigInt(context.baseFee),
      getBlobGasPrice: () => BigInt(context.blobBaseFee),
    },
  };
}

// EIP-2929 and EIP-3651: what a transaction has made warm before its message begins.
function warm(evm, context, message) {
  const addresses = [message.sender, context.coinbase];
  if (!message.create) addresses.push(message.recipient);
  for (let i = 1; i <= PRECOMPILES; i++) addresses.push('0x' + i.toString(16).padStart(40, '0'));
  for (const hex of addresses) evm.journal.addAlwaysWarmAddress(hex.slice(2), true);
}

// Slots can be asked for by key only, so each key that is ever written is noted.
function noteSlots(state) {
  const slots = new Map();
  const put = state.putContractStorage.bind(state);
  state.putContractStorage = (address, key, value) => {
    const hex = address.toString();
    if (!slots.has(hex)) slots.set(hex, new Set());
    slots.get(hex).add(quantity(bytesToBigInt(key)));
    return put(address, key, value);
  };
  return slots;
}

async function storageOf(state, address, keys) {
  const storage = {};
  for (const key of keys) {
    const value = bytesToBigInt(await state.getContractStorage(address, wide(key)));
    if (value !== 0n) storage[key] = quantity(value);
  }
  return storage;
}

// Accounts are asked for by address: those of the corpus line, and those that the run touched.
async function readWorld(state, addresses, slots) {
  const post = {};
  for (const hex of addresses) {
    const address = Address.fromString(hex);
    const account = await state.getAccount(address);
    if (account === undefined) continue;
    const storage = await storageOf(state, address, slots.get(hex) ?? []);
    if (account.isEmpty() && Object.keys(storage).length === 0) continue;
    post[hex] = {
      balance: quantity(account.balance),
      nonce: quantity(account.nonce),
      storage,
      codeHash: bytesToHex(account.codeHash),
    };
  }
  return post;
}

function classOf(error) {
  if (error === undefined) return 'success';
  return error.error === 'revert' ? 'revert' : 'failure';
}

let common; // made once: the corpus has one chain
function commonOf(chainId) {
  common ??= Common.custom({ chainId }, { hardfork: Hardfork.Cancun });
  common.events.removeAllListeners(); // of the EVMs before
  return common;
}

export async function runElsewhere(line, run) {
  const { context, message } = line;
  const rules = commonOf(Number(context.chainId));
  const { state, slots } = await buildWorld(rules, line.pre);
  const block = { hash: () => hexToBytes(context.blockHash) };
  const blockchain = { getBlock: async () => block, shallowCopy: () => blockchain };
  const evm = await EVM.create({ common: rules, stateManager: state, blockchain });
  warm(evm, context, message);
  // It raises the sender's nonce itself; the corpus has it raised.
  const sender = Address.fromString(message.sender);
  await state.modifyAccountFields(sender, { nonce: BigInt(line.pre[message.sender].nonce) - 1n });
  const { execResult } = await evm.runCall({
    block: blockOf(context),
    caller: sender,
    origin: Address.fromString(context.origin),
    gasPrice: BigInt(context.gasPrice),
    gasLimit: BigInt(run.gas),
    to: message.create ? undefined : Address.fromString(message.recipient),
    value: BigInt(message.value),
    data: hexToBytes(message.input),
    isStatic: message.static,
  });
  const touched = [...evm.journal.touched].map((hex) => '0x' + hex);
  const addresses = new Set([...Object.keys(run.post), ...Object.keys(line.pre), ...touched]);
  const result = classOf(execResult.exceptionError);
  return {
    gas: run.gas,
    result,
    reason: execResult.exceptionError?.error ?? 'success',
    gasUsed: quantity(execResult.executionGasUsed),
    refund: quantity(execResult.gasRefund ?? 0n),
    output: result === 'failure' ? '0x' : bytesToHex(execResult.returnValue),
    logs: (execResult.logs ?? []).map(([address, topics, data]) => [
      bytesToHex(address), topics.map((t) => bytesToHex(t)), bytesToHex(data)]),
    post: await readWorld(state, addresses, slots),
  };
}
