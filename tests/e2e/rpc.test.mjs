// rpc.test.mjs - ethers and cast against a running leaseholdd, and what is not allowed to hurt it.
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Contract, ContractFactory, JsonRpcProvider, Wallet, ZeroAddress, keccak256, parseEther } from 'ethers'
import {
    CHAIN_ID, RICH, RICH_KEY, arguments_, makeNetwork, removeNetwork, residentBytes, runTests, startNode, stopNode,
} from './node.mjs'

const here = dirname(fileURLToPath(import.meta.url))
// The program itself: the package @foundry-rs/cast around it only chooses among platforms.
const castPath = join(here, 'node_modules/@foundry-rs/cast-linux-amd64/bin/cast')
const run = promisify(execFile)

// Probe.sol beside this file, solc 0.8.37, optimizer 200 runs, Cancun, no metadata.
const PROBE_CODE = '0x6080604052348015600e575f5ffd5b50604051610254380380610254833981016040819052602b916031565b5f556047565b5f602082840312156040575f5ffd5b5051919050565b610200806100545f395ff3fe60806040526004361061003e575f3560e01c80633fa4f24514610042578063a9cc471814610068578063e1ff178a1461007e578063f0acd7d514610091575b5f5ffd5b34801561004d575f5ffd5b506100565f5481565b60405190815260200160405180910390f35b348015610073575f5ffd5b5061007c6100a5565b005b61007c61008c36600461015b565b6100dc565b34801561009c575f5ffd5b5061007c610151565b60405162461bcd60e51b81526020600482015260076024820152666e6f206c75636b60c81b60448201526064015b60405180910390fd5b6103e883111561010a57604051631ab6737f60e21b8152600481018490526103e860248201526044016100d3565b5f839055604051839033907f1746da8bb29191d72160235494a0cf8c57a155580d02593e1f14f9a4ddd525f59061014490869086906101d2565b60405180910390a3505050565b5b5f5a1161015257565b5f5f5f6040848603121561016d575f5ffd5b83359250602084013567ffffffffffffffff81111561018a575f5ffd5b8401601f8101861361019a575f5ffd5b803567ffffffffffffffff8111156101b0575f5ffd5b8660208284010111156101c1575f5ffd5b939660209190910195509293505050565b60208152816020820152818360408301375f818301604090810191909152601f909201601f1916010191905056'
const PROBE_ABI = [
    'constructor(uint256 first)',
    'event Stored(address indexed sender, uint256 indexed value, string note)',
    'error TooBig(uint256 given, uint256 most)',
    'function value() view returns (uint256)',
    'function store(uint256 next, string note) payable',
    'function fail() pure',
    'function spin() view',
]

const network = makeNetwork()
let node = await startNode(network, ['--rpc-call-ms', '1000'])
let provider, wallet, probe

function connect() {
    provider = new JsonRpcProvider(node.url, CHAIN_ID, { staticNetwork: true, pollingInterval: 100, cacheTimeout: -1 })
    wallet = new Wallet(RICH_KEY, provider)
    if (probe) probe = new Contract(probe.target, PROBE_ABI, wallet)
}
connect()

async function cast(...words) {
    const { stdout } = await run(castPath, words, { env: { ...process.env, ETH_RPC_URL: node.url }, timeout: 60000 })
    return stdout.trim()
}

async function castComplains(...words) {
    try {
        await cast(...words)
    } catch (error) {
        return error.stderr
    }
    throw new Error(`cast ${words.join(' ')} did not fail`)
}

function post(body, headers = {}, method = 'POST', path = '/') {
    return new Promise((resolve, reject) => {
        const request = http.request({
            host: '127.0.0.1', port: node.port, method, path, agent: false,
            headers: { 'content-type': 'application/json', ...headers },
        }, (response) => {
            let text = ''
            response.on('data', (more) => { text += more })
            response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }))
        })
        request.on('error', reject)
        request.end(body)
    })
}

async function rpc(method, ...params) {
    const { text } = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }))
    return JSON.parse(text)
}

async function result(method, ...params) {
    const answer = await rpc(method, ...params)
    assert.equal(answer.error, undefined, JSON.stringify(answer))
    return answer.result
}

async function refusal(method, ...params) {
    const answer = await rpc(method, ...params)
    assert.ok(answer.error, JSON.stringify(answer))
    return answer.error
}

async function rejects(promise, pattern) {
    await assert.rejects(promise, (error) => {
        const text = `${error.message} ${JSON.stringify(error.info ?? {})} ${error.error?.message ?? ''}`
        assert.match(text, pattern)
        return true
    })
}

const OTHER = '0x00000000000000000000000000000000000000bb'

const tests = [
    ['ethers reads the chain id, the balance and the fees', async () => {
        assert.equal((await new JsonRpcProvider(node.url).getNetwork()).chainId, BigInt(CHAIN_ID))
        assert.equal(await provider.getBalance(RICH), parseEther('1000000'))
        const fees = await provider.getFeeData()
        assert.ok(fees.gasPrice > 0n && fees.maxFeePerGas > fees.maxPriorityFeePerGas)
    }],
    ['ethers sends money and the receipt adds up', async () => {
        const before = await provider.getBalance(RICH)
        const receipt = await (await wallet.sendTransaction({ to: OTHER, value: parseEther('1.5') })).wait()
        assert.equal(receipt.status, 1)
        assert.equal(receipt.gasUsed, 21000n)
        assert.equal(await provider.getBalance(OTHER), parseEther('1.5'))
        assert.equal(before - await provider.getBalance(RICH), parseEther('1.5') + receipt.fee)
        const block = await provider.getBlock(receipt.blockNumber, true)
        assert.equal(block.hash, receipt.blockHash)
        assert.equal(block.prefetchedTransactions[receipt.index].hash, receipt.hash)
    }],
    ['ethers deploys, calls, estimates and reads logs', async () => {
        const factory = new ContractFactory(PROBE_ABI, PROBE_CODE, wallet)
        probe = await (await factory.deploy(7)).waitForDeployment()
        assert.equal(await probe.value(), 7n)
        assert.notEqual(await provider.getCode(probe.target), '0x')
        const gas = await probe.store.estimateGas(41, 'hello')
        const receipt = await (await probe.store(41, 'hello', { gasLimit: gas })).wait()
        assert.equal(receipt.status, 1)
        assert.equal(await probe.value(), 41n)
        assert.equal(BigInt(await provider.getStorage(probe.target, 0)), 41n)
        const logs = await probe.queryFilter(probe.filters.Stored(RICH), receipt.blockNumber, 'latest')
        assert.equal(logs.length, 1)
        assert.equal(logs[0].args.value, 41n)
        assert.equal(logs[0].args.note, 'hello')
        assert.equal(logs[0].transactionHash, receipt.hash)
        assert.equal((await probe.queryFilter(probe.filters.Stored(OTHER), 0, 'latest')).length, 0)
        assert.equal((await provider.getLogs({ blockHash: receipt.blockHash, topics: [null, null, [logs[0].topics[2]]] })).length, 1)
    }],
    ['ethers sees the reason of a revert and a custom error', async () => {
        await rejects(probe.fail(), /no luck/)
        await assert.rejects(probe.store.staticCall(2000, ''), (error) => {
            assert.equal(error.revert?.name, 'TooBig')
            assert.deepEqual([...error.revert.args], [2000n, 1000n])
            return true
        })
        const error = await refusal('eth_call', { to: probe.target, data: '0xa9cc4718' }, 'latest')
        assert.equal(error.code, 3)
        assert.equal(error.message, 'execution reverted: no luck')
        assert.match(error.data, /^0x08c379a0/)
        assert.equal((await refusal('eth_estimateGas', { to: probe.target, data: '0xa9cc4718' })).code, 3)
    }],
    ['a transaction that reverts is in its block with status 0', async () => {
        const tx = await probe.store(5000, '', { gasLimit: 100000 })
        await assert.rejects(tx.wait(), /CALL_EXCEPTION|reverted/)
        const receipt = await provider.getTransactionReceipt(tx.hash)
        assert.equal(receipt.status, 0)
        assert.equal(await probe.value(), 41n)
    }],
    ['every waiting transaction of one sender gets in, in order', async () => {
        const first = await provider.getTransactionCount(RICH, 'pending')
        const sent = []
        for (let i = 0; i < 20; i++) sent.push(await wallet.sendTransaction({ to: OTHER, value: 1n, nonce: first + i }))
        const receipts = await Promise.all(sent.map((tx) => tx.wait()))
        assert.equal(await provider.getTransactionCount(RICH), first + 20)
        const places = receipts.map((r) => r.blockNumber * 1e6 + r.index)
        assert.deepEqual(places, [...places].sort((a, b) => a - b))
    }],
    ['transactions of type 0, 1 and 2 keep their type', async () => {
        for (const type of [0, 1, 2]) {
            const receipt = await (await wallet.sendTransaction({ type, to: OTHER, value: 1n, accessList: type === 1 ? [] : undefined })).wait()
            assert.equal(receipt.type, type)
            const tx = await provider.getTransaction(receipt.hash)
            assert.equal(tx.type, type)
            assert.equal(tx.from, RICH)
        }
    }],
    ['a type 4 transaction lets an account act by another one\'s code', async () => {
        const owner = Wallet.createRandom(provider)
        const authorization = await owner.authorize({ address: probe.target, nonce: 0, chainId: CHAIN_ID })
        const call = { to: owner.address, data: probe.interface.encodeFunctionData('store', [77, 'by proxy']), authorizationList: [authorization] }
        const gas = await provider.estimateGas({ ...call, from: RICH })
        assert.ok(gas > 21000n + 25000n + 22100n, `${gas}`)
        const sent = await wallet.sendTransaction({ ...call, type: 4, gasLimit: gas })
        const receipt = await sent.wait()
        assert.equal(receipt.type, 4)
        assert.equal(receipt.status, 1)
        assert.equal((await result('eth_getTransactionReceipt', sent.hash)).type, '0x4')
        assert.equal(await provider.getCode(owner.address), '0xef0100' + probe.target.slice(2).toLowerCase())
        assert.equal(await provider.getTransactionCount(owner.address), 1)
        assert.equal(await new Contract(owner.address, PROBE_ABI, provider).value(), 77n)
        const tx = await provider.getTransaction(sent.hash)
        assert.equal(tx.type, 4)
        assert.equal(tx.authorizationList[0].address, probe.target)
        assert.equal(tx.authorizationList[0].signature.serialized, authorization.signature.serialized)
        const { yParity, r, s, ...plain } = (await result('eth_getTransactionByHash', sent.hash)).authorizationList[0]
        assert.deepEqual(plain, { chainId: '0x1bcd', address: probe.target.toLowerCase(), nonce: '0x0' })
        assert.ok(/^0x[01]$/.test(yParity) && r.length > 60 && s.length > 60)
    }],
    ['a delegated account sends, one transaction at a time, and takes its delegation back', async () => {
        const owner = Wallet.createRandom(provider)
        await (await wallet.sendTransaction({ to: owner.address, value: parseEther('1') })).wait()
        const delegate = await owner.authorize({ address: probe.target, nonce: 0, chainId: 0 })
        await (await wallet.sendTransaction({ type: 4, to: OTHER, authorizationList: [delegate] })).wait()
        assert.equal(await new Contract(owner.address, PROBE_ABI, provider).value(), 0n)
        const plain = { to: OTHER, value: 1n, gasLimit: 50000n, type: 2, maxFeePerGas: 3000000000n, maxPriorityFeePerGas: 1n, chainId: CHAIN_ID }
        const gapped = await owner.signTransaction({ ...plain, nonce: 2 })
        assert.match((await refusal('eth_sendRawTransaction', gapped)).message, /^gapped-nonce tx from delegated accounts/)
        assert.equal((await (await owner.sendTransaction({ to: OTHER, value: 1n })).wait()).status, 1)
        const back = await owner.authorize({ address: ZeroAddress, nonce: 3, chainId: CHAIN_ID })
        assert.equal((await (await owner.sendTransaction({ type: 4, to: OTHER, authorizationList: [back] })).wait()).status, 1)
        assert.equal(await provider.getCode(owner.address), '0x')
        assert.equal(await provider.getTransactionCount(owner.address), 4)
    }],
    ['an authorization that does not hold is left out; a transaction without any is refused', async () => {
        const owner = Wallet.createRandom(provider)
        const early = await owner.authorize({ address: probe.target, nonce: 1, chainId: CHAIN_ID })
        const foreign = await owner.authorize({ address: probe.target, nonce: 0, chainId: 1 })
        const receipt = await (await wallet.sendTransaction({ type: 4, to: OTHER, authorizationList: [early, foreign] })).wait()
        assert.equal(receipt.status, 1)
        assert.equal(receipt.gasUsed, 71000n)
        assert.equal(await provider.getCode(owner.address), '0x')
        const empty = await wallet.signTransaction({ type: 4, to: OTHER, authorizationList: [], gasLimit: 50000n, chainId: CHAIN_ID, nonce: await wallet.getNonce(), maxFeePerGas: 3000000000n })
        assert.match((await refusal('eth_sendRawTransaction', empty)).message, /^EIP-7702 transaction with empty auth list/)
    }],
    ['blobs are refused, and calldata has a floor price', async () => {
        assert.match((await refusal('eth_sendRawTransaction', '0x03c0')).message, /^transaction type not supported: this chain has no blobs/)
        const data = '0x' + '11'.repeat(1000)
        assert.equal(await provider.estimateGas({ from: RICH, to: OTHER, data }), 21000n + 40000n)
        const receipt = await (await wallet.sendTransaction({ to: OTHER, data })).wait()
        assert.equal(receipt.gasUsed, 61000n)
        const fields = { to: OTHER, data, gasLimit: 60999n, type: 2, maxFeePerGas: 3000000000n, chainId: CHAIN_ID, nonce: await wallet.getNonce() }
        assert.match((await refusal('eth_sendRawTransaction', await wallet.signTransaction(fields))).message, /^insufficient gas for floor data gas cost/)
        assert.match((await refusal('eth_call', { to: OTHER, data, gas: '0xee47' })).message, /^insufficient gas for floor data gas cost/)
    }],
    ['the parent\'s hash is in the state', async () => {
        const history = '0x0000F90827F1C53a10cb7A02335B175320002935'
        const block = await provider.getBlock('latest')
        const number = '0x' + block.number.toString(16).padStart(64, '0')
        while (await provider.getBlockNumber() <= block.number + 1) await sleep(100)
        assert.equal(await provider.call({ to: history, data: number }), block.hash)
        assert.equal(await provider.getTransactionCount(history), 1)
    }],
    ['refusals are worded as other clients word them', async () => {
        const poor = Wallet.createRandom()
        const fields = { to: OTHER, value: 1n, gasLimit: 21000n, maxFeePerGas: 2000000000n, maxPriorityFeePerGas: 1n, chainId: CHAIN_ID, type: 2 }
        const send = async (signer, more) => refusal('eth_sendRawTransaction', await signer.signTransaction({ ...fields, ...more }))
        assert.match((await send(poor, { nonce: 0 })).message, /^insufficient funds for gas \* price \+ value/)
        assert.match((await send(wallet, { nonce: 0 })).message, /^nonce too low/)
        assert.match((await send(wallet, { nonce: 0, chainId: 1 })).message, /^invalid chain id for signer: have 1 want 7117/)
        assert.match((await send(wallet, { nonce: 9999, gasLimit: 20999n })).message, /^intrinsic gas too low/)
        assert.match((await send(wallet, { nonce: 9999, gasLimit: 30000001n })).message, /^exceeds block gas limit/)
        const nonce = await provider.getTransactionCount(RICH)
        const gap = await wallet.signTransaction({ ...fields, nonce: nonce + 5 })
        assert.equal(await result('eth_sendRawTransaction', gap), keccak256(gap))
        assert.match((await refusal('eth_sendRawTransaction', gap)).message, /^already known/)
        assert.match((await send(wallet, { nonce: nonce + 5, value: 2n })).message, /^replacement transaction underpriced/)
        const waiting = await result('eth_getTransactionByHash', keccak256(gap))
        assert.equal(waiting.blockNumber, null)
        assert.equal(await result('eth_getTransactionReceipt', keccak256(gap)), null)
        for (const bad of ['0x', '0x02', '0x03c0', '0xzz', 7, '0x' + 'ff'.repeat(100)]) assert.ok((await refusal('eth_sendRawTransaction', bad)).message)
        for (let i = 0; i < 5; i++) await (await wallet.sendTransaction({ to: OTHER, value: 1n, nonce: nonce + i })).wait()
        await provider.waitForTransaction(keccak256(gap))
    }],
    ['cast reads chain id, balance, block, logs and raw methods', async () => {
        assert.equal(await cast('chain-id'), String(CHAIN_ID))
        assert.equal(BigInt(await cast('balance', OTHER)), await provider.getBalance(OTHER))
        assert.equal(await cast('block', '1', '--field', 'number'), '1')
        assert.equal(JSON.parse(await cast('block', 'latest', '--json')).parentHash.length, 66)
        const logs = JSON.parse(await cast('logs', '--json', '--from-block', '0', '--to-block', 'latest', '--address', probe.target, 'Stored(address indexed,uint256 indexed,string)'))
        assert.equal(logs.length, 1)
        assert.equal(JSON.parse(await cast('rpc', 'leasehold_status')).network, 'rpc-test')
    }],
    ['cast sends, deploys, calls, estimates and reads receipts', async () => {
        const sent = JSON.parse(await cast('send', '--json', '--private-key', RICH_KEY, OTHER, '--value', '1ether'))
        assert.equal(sent.status, '0x1')
        assert.equal(JSON.parse(await cast('receipt', '--json', sent.transactionHash)).blockHash, sent.blockHash)
        assert.equal(JSON.parse(await cast('tx', '--json', sent.transactionHash)).hash, sent.transactionHash)
        const deployed = JSON.parse(await cast('send', '--json', '--private-key', RICH_KEY, '--create', PROBE_CODE, 'constructor(uint256)', '9'))
        const address = deployed.contractAddress
        assert.equal(await cast('call', address, 'value()(uint256)'), '9')
        assert.ok(Number(await cast('estimate', '--from', RICH, address, 'store(uint256,string)', '12', 'note')) > 21000)
        await cast('send', '--private-key', RICH_KEY, address, 'store(uint256,string)', '12', 'note')
        assert.equal(await cast('call', address, 'value()(uint256)'), '12')
        assert.equal(BigInt(await cast('storage', address, '0')), 12n)
        assert.match(await castComplains('call', address, 'fail()'), /no luck/)
        assert.match(await castComplains('send', '--private-key', RICH_KEY, address, 'fail()'), /no luck/)
    }],
    ['cast sends type 4 transactions', async () => {
        const owner = Wallet.createRandom()
        await cast('send', '--private-key', RICH_KEY, owner.address, '--value', '1ether')
        const signed = await cast('wallet', 'sign-auth', probe.target, '--private-key', owner.privateKey, '--nonce', '0', '--chain', String(CHAIN_ID))
        const sent = JSON.parse(await cast('send', '--json', '--private-key', RICH_KEY, owner.address, 'store(uint256,string)', '5', 'x', '--auth', signed))
        assert.equal(sent.type, '0x4')
        assert.equal(sent.status, '0x1')
        assert.equal(await cast('call', owner.address, 'value()(uint256)'), '5')
        assert.equal(JSON.parse(await cast('tx', '--json', sent.transactionHash)).authorizationList.length, 1)
        // For itself: cast signs with the nonce after the transaction's.
        await cast('send', '--private-key', owner.privateKey, OTHER, '--auth', ZeroAddress)
        assert.equal(await cast('code', owner.address), '0x')
        assert.equal(await cast('nonce', owner.address), '3')
    }],
    ['a proof begins at the state root of its block', async () => {
        for (let tries = 0; ; tries++) {
            const [block, proof] = await Promise.all([result('eth_getBlockByNumber', 'latest', false), result('eth_getProof', probe.target, ['0x0'], 'latest')])
            if (keccak256(proof.accountProof[0]) !== block.stateRoot && tries < 20) continue // a block came between
            assert.equal(keccak256(proof.accountProof[0]), block.stateRoot)
            assert.equal(keccak256(proof.storageProof[0].proof[0]), proof.storageHash)
            assert.equal(proof.storageProof[0].value, '0x29')
            return
        }
    }],
    ['latest, safe and finalized are one block; headers hash to their hash', async () => {
        const number = await result('eth_blockNumber')
        for (const tag of ['latest', 'safe', 'finalized', 'pending']) assert.ok(BigInt((await result('eth_getBlockByNumber', tag, false)).number) >= BigInt(number))
        assert.equal(await result('eth_getBlockByNumber', '0xffffff', false), null)
        assert.equal(await result('eth_getBlockByHash', '0x' + '11'.repeat(32), false), null)
        const block = await result('eth_getBlockByNumber', number, true)
        assert.deepEqual(await result('eth_getBlockByHash', block.hash, true), block)
        assert.equal(BigInt(await result('eth_getBlockTransactionCountByHash', block.hash)), BigInt(block.transactions.length))
        assert.equal(await result('eth_getUncleCountByBlockNumber', number), '0x0')
        assert.equal((await result('eth_getBlockReceipts', number)).length, block.transactions.length)
        assert.match((await refusal('eth_getBalance', RICH, '0x1')).message, /missing trie node/)
        assert.match((await refusal('eth_getBalance', RICH, '0xffffff')).message, /header not found/)
        const certificate = await result('leasehold_certificate', number)
        assert.equal(certificate.hash, block.hash)
        const set = await result('leasehold_validators')
        assert.equal(set.validators.length, 1)
        const history = await result('eth_feeHistory', '0x5', 'latest', [25, 75])
        assert.equal(history.baseFeePerGas.length, 6)
        assert.equal(history.reward.length, 5)
    }],
    ['filters tell what is new and nothing twice', async () => {
        const [logs, blocks, pending] = [await result('eth_newFilter', { address: probe.target }), await result('eth_newBlockFilter'), await result('eth_newPendingTransactionFilter')]
        const receipt = await (await probe.store(77, 'filtered')).wait()
        const found = await result('eth_getFilterChanges', logs)
        assert.equal(found.length, 1)
        assert.equal(found[0].transactionHash, receipt.hash)
        assert.equal((await result('eth_getFilterChanges', logs)).length, 0)
        assert.ok((await result('eth_getFilterChanges', blocks)).includes(receipt.blockHash))
        assert.deepEqual(await result('eth_getFilterChanges', pending), [])
        assert.equal(await result('eth_uninstallFilter', logs), true)
        assert.equal(await result('eth_uninstallFilter', logs), false)
        assert.match((await refusal('eth_getFilterChanges', logs)).message, /filter not found/)
    }],
    ['wide or wrong log queries are refused, those of the future are empty', async () => {
        assert.match((await refusal('eth_getLogs', { fromBlock: '0x0', toBlock: '0xffffff' })).message, /max block range/)
        assert.match((await refusal('eth_getLogs', { fromBlock: '0x5', toBlock: '0x1' })).message, /invalid block range/)
        assert.deepEqual(await result('eth_getLogs', { fromBlock: '0xffffff', toBlock: '0xffffff' }), [])
        assert.deepEqual(await result('eth_getLogs', { fromBlock: '0xffffffffffffffff', toBlock: '0xffffffffffffffff' }), [])
        assert.equal((await refusal('eth_getLogs', { address: '0x12' })).code, -32602)
        assert.equal((await refusal('eth_getLogs', { topics: [[], [], [], [], []] })).code, -32602)
        assert.equal((await refusal('eth_getLogs', 'x')).code, -32602)
    }],
    ['a call without end is cut off while blocks go on', async () => {
        const before = Number(await result('eth_blockNumber'))
        const started = Date.now()
        const error = await refusal('eth_call', { to: probe.target, data: '0xf0acd7d5', gas: '0x2faf080' }, 'latest')
        assert.match(error.message, /out of gas|execution aborted/)
        assert.ok(Date.now() - started < 5000)
        assert.match((await refusal('eth_estimateGas', { to: probe.target, data: '0xf0acd7d5' })).message, /gas required exceeds allowance|execution aborted/)
        await sleep(600)
        assert.ok(Number(await result('eth_blockNumber')) > before)
    }],
    ['bad bodies get JSON-RPC errors', async () => {
        const code = async (body) => JSON.parse((await post(body)).text).error.code
        assert.equal(await code('{'), -32700)
        assert.equal(await code('\u0000\u0001'), -32700)
        assert.equal(await code('{}'), -32600)
        assert.equal(await code('[]'), -32600)
        assert.equal(await code('{"jsonrpc":"2.0","id":1,"method":"nope"}'), -32601)
        assert.equal(await code('{"jsonrpc":"2.0","id":1,"method":"eth_getBalance"}'), -32602)
        assert.equal(await code('{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x12"]}'), -32602)
        assert.equal(await code('['.repeat(2000000)), -32600)
        assert.equal(await code('['.repeat(50000)), -32700)
        const batch = JSON.parse((await post(JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_chainId' }))))).text)
        assert.deepEqual(batch.map((a) => a.id), Array.from({ length: 1000 }, (_, id) => id))
        assert.ok(batch.every((a) => a.result === '0x1bcd'))
        assert.equal((await post('{"jsonrpc":"2.0","method":"eth_chainId"}')).text, '')
    }],
    ['big bodies, foreign hosts, browsers\' forms and other methods are refused', async () => {
        assert.equal((await post('x'.repeat(2 * 1024 * 1024 + 1)).catch(() => ({ status: 413 }))).status, 413)
        assert.equal((await post('{}', { host: 'evil.example' })).status, 403)
        assert.equal((await post('{}', { 'content-type': 'text/plain' })).status, 415)
        assert.equal((await post('', {}, 'DELETE')).status, 501)
        assert.equal((await post('', {}, 'GET', '/nothing')).status, 404)
        const fine = await post('{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}', { origin: 'http://page.example' })
        assert.equal(fine.headers['access-control-allow-origin'], undefined)
    }],
    ['a crowd of idle and slow clients does not stop the others', async () => {
        const sockets = Array.from({ length: 40 }, () => net.connect(node.port, '127.0.0.1'))
        for (const socket of sockets) {
            socket.on('error', () => {})
            socket.write('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{')
        }
        assert.equal(await result('eth_chainId'), '0x1bcd')
        for (const socket of sockets) socket.destroy()
    }],
    ['metrics show height, requests, and contracts that owe what they hold', async () => {
        const { text, status } = await post('', {}, 'GET', '/metrics')
        assert.equal(status, 200)
        assert.ok(Number(/^leasehold_block_number (\d+)$/m.exec(text)[1]) > 0)
        assert.ok(Number(/^leasehold_rpc_requests_total (\d+)$/m.exec(text)[1]) > 100)
        for (const name of ['Staking', 'Providers', 'Jobs', 'Scheduler']) assert.match(text, new RegExp(`surplus_wei\\{contract="${name}"\\} 0$`, 'm'))
    }],
    ['a second start on the same directory is refused and names the first', async () => {
        const second = spawnSync('leaseholdd', arguments_(network), { encoding: 'utf8' })
        assert.equal(second.status, 1)
        assert.match(second.stderr, new RegExp(`in use by another leaseholdd \\(process ${node.child.pid}\\)`))
    }],
    ['after kill -9 nothing final is lost and what was accepted gets in', async () => {
        for (let round = 0; round < 5; round++) {
            const final = await provider.getBlock('latest')
            const tx = await wallet.sendTransaction({ to: OTHER, value: 1n })
            await sleep(round * 70)
            await stopNode(node, 'SIGKILL')
            provider.destroy()
            node = await startNode(network, ['--rpc-call-ms', '1000'])
            connect()
            assert.equal((await provider.getBlock(final.number)).hash, final.hash)
            const receipt = await provider.waitForTransaction(tx.hash, 1, 20000)
            assert.equal(receipt.status, 1)
        }
    }],
    ['memory stays below 200 MiB', async () => {
        assert.ok(residentBytes(node) < 200 * 1024 * 1024, `${residentBytes(node)} bytes`)
    }],
    ['SIGTERM ends with 0 and the chain goes on afterwards', async () => {
        const number = Number(await result('eth_blockNumber'))
        provider.destroy()
        assert.deepEqual(await stopNode(node), { code: 0, signal: null })
        node = await startNode(network)
        connect()
        assert.ok(Number(await result('eth_blockNumber')) >= number)
        await (await wallet.sendTransaction({ to: OTHER, value: 1n })).wait()
        provider.destroy()
        assert.deepEqual(await stopNode(node, 'SIGINT'), { code: 0, signal: null })
    }],
    ['another genesis on a used directory and bad options are refused clearly', async () => {
        const other = JSON.parse(readFileSync(network.genesis, 'utf8'))
        other.chainId = 7118
        const path = join(network.dir, 'other.json')
        writeFileSync(path, JSON.stringify(other))
        const start = (...words) => spawnSync('leaseholdd', words, { encoding: 'utf8' })
        assert.match(start('--data-dir', network.data, '--genesis', path).stderr, /belongs to another network/)
        assert.match(start('--data-dir', join(network.dir, 'new')).stderr, /is new: say which network/)
        assert.match(start('--data-dir', join(network.dir, 'new'), '--genesis', network.key).stderr, /line 1/)
        assert.match(start('--genesis', path).stderr, /--data-dir DIR/)
        assert.match(start('--data-dir', network.data, '--rpc-listen', 'nowhere').stderr, /want an IP address and a port/)
        assert.equal(start('--data-dir', network.data, '--rpc-threads', '99').status, 64)
        writeFileSync(join(network.dir, 'open.key'), '0x' + '18'.repeat(32), { mode: 0o644 })
        assert.match(start('--data-dir', network.data, '--validator-key', join(network.dir, 'open.key')).stderr, /chmod 600/)
    }],
]

const failed = await runTests(tests)
if (failed) console.log(`# the node's last lines:\n${node.log().replace(/^/gm, '# ')}`)
provider?.destroy()
if (node.child.exitCode === null && node.child.signalCode === null) await stopNode(node, 'SIGKILL')
removeNetwork(network)
process.exit(failed ? 1 : 0)
