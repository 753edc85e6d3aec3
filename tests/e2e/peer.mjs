// peer.mjs - speaks to a node as another node would, or as badly as a test wants: TLS 1.3 with an Ed25519
// key, HELLO, frames (net/wire.h). Message types come from the table in net/wire.h itself.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import tls from 'node:tls'
import { ethers } from 'ethers'

const TABLE = readFileSync(new URL('../../net/wire.h', import.meta.url), 'utf8')
// name -> byte
export const WIRE = Object.fromEntries([...TABLE.matchAll(/^ {4}X\((\d+), (\w+), \w+,/gm)].map(([, byte, name]) => [name, Number(byte)]))
const VERSION = Number(/WIRE_VERSION +(\d+)/.exec(TABLE)[1])
const EXPORTER = 'EXPORTER-leasehold-peer-v1'

const u16 = (n) => { const b = Buffer.alloc(2); b.writeUInt16BE(n); return b }
const u32 = (n) => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b }
export const u64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(n)); return b }
const bytes = (hex) => Buffer.from(hex.replace(/^0x/, ''), 'hex')
export const pack = { u16, u32, u64, bytes }

// The little of ASN.1 that a self-signed certificate needs.
function der(tag, ...parts) {
    const body = Buffer.concat(parts)
    const size = body.length < 128 ? Buffer.from([body.length])
        : body.length < 256 ? Buffer.from([0x81, body.length]) : Buffer.from([0x82, body.length >> 8, body.length & 255])
    return Buffer.concat([Buffer.from([tag]), size, body])
}
const pem = (name, content) => `-----BEGIN ${name}-----\n${content.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${name}-----\n`

// A fresh node: its key, a certificate around it, its id.
export function makeIdentity() {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    const algorithm = der(0x30, Buffer.from('06032b6570', 'hex'))
    const name = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('peer')))))
    const validity = der(0x30, der(0x18, Buffer.from('20200101000000Z')), der(0x18, Buffer.from('21200101000000Z')))
    const body = der(0x30, der(0xa0, der(0x02, Buffer.from([2]))), der(0x02, Buffer.from([1])), algorithm, name, validity, name, spki)
    const certificate = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), sign(null, body, privateKey)))
    return {
        id: createHash('sha256').update(spki).digest(), cert: pem('CERTIFICATE', certificate),
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    }
}

export function frame(type, payload = Buffer.alloc(0)) {
    return Buffer.concat([u32(payload.length + 1), Buffer.from([type]), payload])
}

export function hello(chain, more = {}) {
    const h = { version: VERSION, epoch: 0, number: 0, chainId: chain.chainId, genesis: chain.genesis, proof: Buffer.alloc(65), ...more }
    return frame(WIRE.HELLO, Buffer.concat([u16(h.version), u64(h.chainId), bytes(h.genesis), Buffer.alloc(16), u16(0),
        u64(h.epoch), u64(h.number), h.proof]))
}

// A vote's wire form; signed if a key is given, else with random bytes in place of the signature.
export function vote({ epoch, view, kind = 0, parentView = kind === 0 ? view - 1 : 0, block = randomBytes(32), signer = 0 }, chain, key) {
    const word = (n) => ethers.toBeHex(n, 32)
    let signature = Buffer.concat([randomBytes(64), Buffer.from([0])])
    if (kind === 1) block = Buffer.alloc(32)
    if (key) {
        const digest = ethers.keccak256(ethers.concat([ethers.id('Leasehold vote v1'), word(chain.chainId), word(epoch), word(view),
            word(kind), word(parentView), block]))
        signature = signatureBytes(new ethers.SigningKey(key).sign(digest))
    }
    return Buffer.concat([u64(epoch), u64(view), Buffer.from([kind]), u64(parentView), block, u16(signer), signature])
}

function signatureBytes(s) {
    return Buffer.concat([bytes(s.r), bytes(s.s), Buffer.from([s.yParity])])
}

// One connection. `closed` resolves when it is over, with what was heard; nothing here ever throws for that.
export class Peer {
    constructor(port, { identity = makeIdentity(), from = '127.0.0.1' } = {}) {
        this.identity = identity
        this.heard = [] // {type, payload}
        this.over = false
        this.rest = Buffer.alloc(0)
        this.waiting = []
        const socket = tls.connect({
            port, host: '127.0.0.1', localAddress: from, key: identity.key, cert: identity.cert, minVersion: 'TLSv1.3',
            rejectUnauthorized: false, checkServerIdentity: () => undefined,
        })
        socket.setNoDelay(true)
        this.socket = socket
        this.secured = new Promise((resolve) => {
            socket.once('secureConnect', () => resolve(true))
            socket.once('close', () => resolve(false))
        })
        this.closed = new Promise((resolve) => socket.once('close', () => { this.over = true; this.look(); resolve(this.heard) }))
        socket.on('error', () => {})
        socket.on('data', (data) => this.take(data))
    }

    take(data) {
        this.rest = Buffer.concat([this.rest, data])
        while (this.rest.length >= 5 && this.rest.length >= 4 + this.rest.readUInt32BE(0)) {
            const size = this.rest.readUInt32BE(0)
            const message = { type: this.rest[4], payload: Buffer.from(this.rest.subarray(5, 4 + size)) }
            this.rest = this.rest.subarray(4 + size)
            if (message.type === WIRE.PING) this.send(WIRE.PONG, message.payload)
            if (this.heard.length < 10000) this.heard.push(message)
        }
        this.look()
    }

    look() {
        this.waiting = this.waiting.filter(({ type, resolve }) => {
            const found = this.heard.find((m) => m.type === type)
            if (found || this.over) resolve(found ?? null)
            return !found && !this.over
        })
    }

    // The first message of that type; null if the connection ends before.
    wait(type) {
        return new Promise((resolve) => { this.waiting.push({ type, resolve }); this.look() })
    }

    // Both have said HELLO: true. With a validator's key it is proven.
    async greet(chain, more = {}) {
        if (!await this.secured) return false
        if (more.validatorKey) more = { ...more, proof: this.proof(chain, more.validatorKey) }
        this.raw(hello(chain, more))
        return await this.wait(WIRE.HELLO) !== null
    }

    proof(chain, key) {
        const exporter = this.socket.exportKeyingMaterial(32, EXPORTER, Buffer.alloc(0))
        const text = Buffer.concat([Buffer.from('Leasehold peer v1'), u64(chain.chainId), this.identity.id, exporter])
        return signatureBytes(new ethers.SigningKey(key).sign(ethers.keccak256(text)))
    }

    raw(data) {
        return this.over || this.socket.destroyed ? false : this.socket.write(data)
    }

    send(type, payload) {
        return this.raw(frame(type, payload))
    }

    // Writes and waits until the kernel took it, or the connection is over.
    async push(data) {
        if (!this.raw(data) && !this.over) {
            await Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.closed])
        }
        return !this.over
    }

    end() {
        this.socket.destroy()
        return this.closed
    }
}

// A TCP connection and no more. `closed` resolves when it is over.
export function plainSocket(port, from = '127.0.0.1') {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: from })
    socket.on('error', () => {})
    socket.closed_ = new Promise((resolve) => socket.once('close', resolve))
    return socket
}
