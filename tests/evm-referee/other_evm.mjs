// other_evm.mjs - runs one message of a corpus line in @ethereumjs/evm and tells what came of it,
// in the words of tests/tools/evm_corpus_main.c.
import { createEVM } from '@ethereumjs/evm';
import { createCustomCommon, Hardfork, Mainnet } from '@ethereumjs/common';
import { SimpleStateManager } from '@ethereumjs/statemanager';
import { Account, Address, createAddressFromString, createZeroAddress, bytesToBigInt, bytesToHex, hexToBytes, setLengthLeft } from '@ethereumjs/util';

const PRECOMPILES = { Cancun: 10, Prague: 17 }; // all warm


const quantity = (n) => '0x' + n.toString(16);
const wide = (hex) => setLengthLeft(hexToBytes(hex.length % 2 ? '0x0' + hex.slice(2) : hex), 32);
const short = (bytes) => {
  let at = 0;
  while (at < bytes.length && bytes[at] === 0) at++;
  return bytes.slice(at);
};

async function buildWorld(common, pre) {
  const state = new SimpleStateManager({ common });
  const slots = noteSlots(state);
  for (const [hex, account] of Object.entries(pre)) {
    const address = createAddressFromString(hex);
    await state.putAccount(address, new Account(BigInt(account.nonce), BigInt(account.balance)));
    if (account.code !== '0x') await state.putCode(address, hexToBytes(account.code));
    for (const [slot, value] of Object.entries(account.storage))
      await state.putStorage(address, wide(slot), short(wide(value)));
  }
  state.originalStorageCache.clear();
  return { state, slots };
}

function blockOf(context) {
  return {
    header: {
      number: BigInt(context.number),
      cliqueSigner: () => createZeroAddress(),
      coinbase: createAddressFromString(context.coinbase),
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
function warm(evm, { revision, context, message }) {
  const addresses = [message.sender, context.coinbase];
  if (!message.create) addresses.push(message.recipient);
  for (let i = 1; i <= PRECOMPILES[revision]; i++) addresses.push('0x' + i.toString(16).padStart(40, '0'));
  for (const hex of addresses) evm.journal.addAlwaysWarmAddress(hex.slice(2), true);
}

// Slots can be asked for by key only, so each key that is ever written is noted.
function noteSlots(state) {
  const slots = new Map();
  const put = state.putStorage.bind(state);
  state.putStorage = (address, key, value) => {
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
    const value = bytesToBigInt(await state.getStorage(address, wide(key)));
    if (value !== 0n) storage[key] = quantity(value);
  }
  return storage;
}

// Accounts are asked for by address: those of the corpus line, and those that the run touched.
async function readWorld(state, addresses, slots) {
  const post = {};
  for (const hex of addresses) {
    const address = createAddressFromString(hex);
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

const rulesOf = (chainId, hardfork) => createCustomCommon({ chainId }, Mainnet, { hardfork });

export async function runElsewhere(line, run) {
  const { context, message } = line;
  const common = rulesOf(Number(context.chainId), Hardfork[line.revision]);
  const { state, slots } = await buildWorld(common, line.pre);
  const block = { hash: () => hexToBytes(context.blockHash) };
  const blockchain = { getBlock: async () => block, shallowCopy: () => blockchain };
  const evm = await createEVM({ common, stateManager: state, blockchain });
  warm(evm, line);
  // It raises the sender's nonce itself; the corpus has it raised.
  const sender = createAddressFromString(message.sender);
  await state.modifyAccountFields(sender, { nonce: BigInt(line.pre[message.sender].nonce) - 1n });
  const { execResult } = await evm.runCall({
    block: blockOf(context),
    caller: sender,
    origin: createAddressFromString(context.origin),
    gasPrice: BigInt(context.gasPrice),
    gasLimit: BigInt(run.gas),
    to: message.create ? undefined : createAddressFromString(message.recipient),
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
