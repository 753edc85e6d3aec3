// precompile_vectors.mjs - prints precompile_vectors.h: inputs made here, answers by other code than
// the VM's (noble's curves and hashes, JavaScript's big integers), gas by the EIPs' formulas.
//
//   node tests/vm/precompile_vectors.mjs > tests/vm/precompile_vectors.h
//
// The modules are those of tests/e2e. The build does not run this.
import { createRequire } from 'node:module'

const require = createRequire(new URL('../e2e/package.json', import.meta.url))
const { bls12_381: bls } = require('@noble/curves/bls12-381')
const { bn254 } = require('@noble/curves/bn254')
const { secp256k1 } = require('@noble/curves/secp256k1')
const { hash_to_field: hashToField } = require('@noble/curves/abstract/hash-to-curve')
const { blake2b } = require('@noble/hashes/blake2b')
const { keccak_256: keccak256 } = require('@noble/hashes/sha3')
const { ripemd160 } = require('@noble/hashes/ripemd160')
const { sha256 } = require('@noble/hashes/sha256')

const hex = (bytes) => Buffer.from(bytes).toString('hex')
const number = (value, size) => value.toString(16).padStart(2 * size, '0')
const word = (value) => number(value, 32)
const text = (t) => hex(Buffer.from(t))
// Numbers that nobody chose, the same in each run.
const drawn = (name) => BigInt('0x' + hex(keccak256(Buffer.from('leasehold ' + name))))

const vectors = []
const add = (address, name, gas, input, output) => vectors.push({ address, name, gas, input, output })
const words = (input) => Math.ceil(input.length / 64)

// ---- 0x01 to 0x05, 0x09: hashes and numbers

for (const name of ['first', 'second']) {
    const digest = keccak256(Buffer.from(name))
    const secret = number(drawn('secret ' + name) % secp256k1.CURVE.n, 32)
    const s = secp256k1.sign(digest, secret)
    const signer = '0'.repeat(24) + hex(keccak256(secp256k1.getPublicKey(secret, false).slice(1)).slice(12))
    const high = secp256k1.CURVE.n - s.s
    add(1, `${name} signature`, 3000, hex(digest) + word(27 + s.recovery) + word(s.r) + word(s.s), signer)
    add(1, `${name} signature, the other s`, 3000,
        hex(digest) + word(28 - s.recovery) + word(s.r) + word(high) + 'ff', signer)
}

for (const t of ['Leasehold', 'a text that is longer than thirty-two bytes, and so costs two words']) {
    const size = Math.ceil(t.length / 32)
    add(2, `sha256 of ${t.length} bytes`, 60 + 12 * size, text(t), hex(sha256(t)))
    add(3, `ripemd160 of ${t.length} bytes`, 600 + 120 * size, text(t), '0'.repeat(24) + hex(ripemd160(t)))
    add(4, `identity of ${t.length} bytes`, 15 + 3 * size, text(t), text(t))
}

function power(base, exponent, modulus) {
    if (modulus === 0n) return 0n
    let result = 1n % modulus
    for (let b = base % modulus, e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus) {
        if (e & 1n) result = (result * b) % modulus
    }
    return result
}

// EIP-2565: the larger of 200 and multiplication complexity times iterations, by three.
function modexpGas(baseSize, exponentSize, modulusSize, exponent) {
    const units = BigInt(Math.ceil(Math.max(baseSize, modulusSize) / 8))
    const head = exponentSize <= 32 ? exponent : exponent >> BigInt(8 * (exponentSize - 32))
    const bits = head === 0n ? 0 : head.toString(2).length - 1
    const iterations = Math.max(1, bits + 8 * Math.max(0, exponentSize - 32))
    const gas = (units * units * BigInt(iterations)) / 3n
    return gas < 200n ? 200n : gas
}

function modexp(name, sizes, base, exponent, modulus) {
    const input = sizes.map(word).join('') + number(base, sizes[0]) + number(exponent, sizes[1]) + number(modulus, sizes[2])
    add(5, name, modexpGas(...sizes, exponent), input, number(power(base, exponent, modulus), sizes[2]))
}

const wide = (name, size) => BigInt('0x' + Array.from({ length: Math.ceil(size / 32) },
    (_, i) => word(drawn(`${name} ${i}`))).join('').slice(0, 2 * size))
modexp('modexp of 32 bytes', [32, 32, 32], wide('b', 32), wide('e', 32), wide('m', 32) | 1n)
modexp('modexp, even modulus', [64, 3, 64], wide('b', 64), 65537n, wide('m', 64) & ~0xffn)
modexp('modexp, exponent of 40 bytes', [33, 40, 33], wide('b', 33), wide('e', 40), wide('m', 33) | 1n)
modexp('modexp, leading zeros', [40, 2, 40], 3n, 5n, 7n)

// BLAKE2b of one short block is one call of F on the parameterised start.
const blakeStart = '48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5' +
    'd182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b'
for (const t of ['', 'Leasehold', 'x'.repeat(128)]) {
    const block = text(t).padEnd(256, '0')
    const offset = hex(Uint8Array.of(t.length, ...new Uint8Array(15)))
    add(9, `blake2f makes BLAKE2b of ${t.length} bytes`, 12, '0000000c' + blakeStart + block + offset + '01',
        hex(blake2b(t)))
}

// ---- 0x06 to 0x08: bn254

const Bn = bn254.ProjectivePoint
const bnPoint = (p) => (p.equals(Bn.ZERO) ? '0'.repeat(128) : word(p.toAffine().x) + word(p.toAffine().y))
const bnOrder = bn254.CURVE.n
const bnPrime = bn254.CURVE.Fp.ORDER
const a = drawn('a') % bnOrder
const b = drawn('b') % bnOrder
const A = Bn.BASE.multiply(a)
const B = Bn.BASE.multiply(b)
add(6, 'bn254 add of two points', 150, bnPoint(A) + bnPoint(B), bnPoint(A.add(B)))
add(6, 'bn254 add of a point and itself', 150, bnPoint(A) + bnPoint(A), bnPoint(A.double()))
add(6, 'bn254 add of a point and its negative', 150, bnPoint(A) + bnPoint(A.negate()), bnPoint(Bn.ZERO))
add(6, 'bn254 add of a point and infinity', 150, bnPoint(A) + bnPoint(Bn.ZERO), bnPoint(A))
add(7, 'bn254 multiply', 6000, bnPoint(A) + word(b), bnPoint(A.multiply(b)))
add(7, 'bn254 multiply beyond the order', 6000, bnPoint(A) + word(bnOrder + 5n), bnPoint(A.multiply(5n)))
add(7, 'bn254 multiply by the order', 6000, bnPoint(A) + word(bnOrder), bnPoint(Bn.ZERO))
add(7, 'bn254 multiply by the largest number', 6000, bnPoint(A) + 'f'.repeat(64),
    bnPoint(A.multiply((2n ** 256n - 1n) % bnOrder)))

// Affine points over Fp2 = Fp[i], i^2 = -1, on a curve y^2 = x^3 + b: enough for multiples.
const mod = (x) => ((x % bnPrime) + bnPrime) % bnPrime
const sub2 = (x, y) => [mod(x[0] - y[0]), mod(x[1] - y[1])]
const mul2 = (x, y) => [mod(x[0] * y[0] - x[1] * y[1]), mod(x[0] * y[1] + x[1] * y[0])]
function inverse2(x) {
    const norm = power(mod(x[0] * x[0] + x[1] * x[1]), bnPrime - 2n, bnPrime)
    return [mod(x[0] * norm), mod(-x[1] * norm)]
}
function addG2(p, q) {
    if (p === null) return q
    const same = p.x[0] === q.x[0] && p.x[1] === q.x[1]
    const slope = same ? mul2(mul2([3n, 0n], mul2(p.x, p.x)), inverse2(mul2([2n, 0n], p.y)))
        : mul2(sub2(q.y, p.y), inverse2(sub2(q.x, p.x)))
    const x = sub2(sub2(mul2(slope, slope), p.x), q.x)
    return { x, y: sub2(mul2(slope, sub2(p.x, x)), p.y) }
}
function multiplyG2(p, k) {
    let result = null
    for (let power2 = p; k > 0n; k >>= 1n, power2 = addG2(power2, power2)) {
        if (k & 1n) result = addG2(result, power2)
    }
    return result
}
// EIP-197's generator; the imaginary part stands first.
const bnG2 = {
    x: [10857046999023057135944570762232829481370756359578518086990519993285655852781n,
        11559732032986387107991004021392285783925812861821192530917403151452391805634n],
    y: [8495653923123431417604973247489272438418190587263600148770280649306958101930n,
        4082367875863433681332203403145435568316851327593401208105741076214120093531n],
}
const bnG2Point = (p) => word(p.x[1]) + word(p.x[0]) + word(p.y[1]) + word(p.y[0])
const bQ = multiplyG2(bnG2, b)
const minusAB = Bn.BASE.multiply((bnOrder - (a * b) % bnOrder) % bnOrder)
// e(aP, bQ) e(-abP, Q) = 1.
add(8, 'bn254 pairing of two pairs that cancel', 45000 + 34000 * 2,
    bnPoint(A) + bnG2Point(bQ) + bnPoint(minusAB) + bnG2Point(bnG2), word(1n))
add(8, 'bn254 pairing of two pairs that do not', 45000 + 34000 * 2,
    bnPoint(A) + bnG2Point(bQ) + bnPoint(minusAB) + bnG2Point(bQ), word(0n))
add(8, 'bn254 pairing of one pair', 45000 + 34000, bnPoint(A) + bnG2Point(bQ), word(0n))

// ---- 0x0a: point evaluation of p(X) = aX + b at z

const G1 = bls.G1.ProjectivePoint
const G2 = bls.G2.ProjectivePoint
const order = bls.fields.Fr.ORDER
const c = drawn('c') % order
const d = drawn('d') % order
const z = drawn('z') % order
// The ceremony's tau times the generator. The VM holds tau times G2's: that both belong together,
// e(tau G1, G2) = e(G1, tau G2), is what makes these vectors hold.
const tau = G1.fromHex('ad3eb50121139aa34db1d545093ac9374ab7bca2c0f3bf28e27c8dcd8fc7cb42d25926fc0c97b336e9f0fb35e5a04c81')
const compressed = (p) => hex(p.toRawBytes(true))
function evaluation(name, factor, constant) {
    const commitment = compressed(tau.multiply(factor).add(G1.BASE.multiply(constant)))
    const proof = compressed(G1.BASE.multiply(factor)) // (p(X) - p(z)) / (X - z) = factor
    const version = '01' + hex(sha256(Buffer.from(commitment, 'hex'))).slice(2)
    add(10, name, 50000, version + word(z) + word((factor * z + constant) % order) + commitment + proof,
        word(4096n) + word(order))
}
evaluation('point evaluation of a line', c, d)
evaluation('point evaluation of another line', d, c)

// ---- 0x0b to 0x11: BLS12-381

const fp = (x) => number(x, 64)
const g1 = (p) => (p.equals(G1.ZERO) ? '0'.repeat(256) : fp(p.toAffine().x) + fp(p.toAffine().y))
const fp2 = (x) => fp(x.c0) + fp(x.c1)
const g2 = (p) => (p.equals(G2.ZERO) ? '0'.repeat(512) : fp2(p.toAffine().x) + fp2(p.toAffine().y))
const C1 = G1.BASE.multiply(c)
const D1 = G1.BASE.multiply(d)
const C2 = G2.BASE.multiply(c)
const D2 = G2.BASE.multiply(d)

function group(address, name, gas, encode, zero, P, Q) {
    add(address, `${name} add of two points`, gas, encode(P) + encode(Q), encode(P.add(Q)))
    add(address, `${name} add of a point and itself`, gas, encode(P) + encode(P), encode(P.double()))
    add(address, `${name} add of a point and its negative`, gas, encode(P) + encode(P.negate()), encode(zero))
    add(address, `${name} add of a point and infinity`, gas, encode(zero) + encode(P), encode(P))
}
// Gas: count * price * discount / 1000, the discounts of EIP-2537's table for 1, 2 and 3.
function multiples(address, name, gas, encode, zero, P, Q) {
    const item = (p, k) => encode(p) + word(k)
    add(address, `${name} multiple`, gas[0], item(P, z), encode(P.multiply(z)))
    add(address, `${name} multiple beyond the order`, gas[0], item(P, order + 3n), encode(P.multiply(3n)))
    add(address, `${name} multiple of infinity`, gas[0], item(zero, z), encode(zero))
    add(address, `${name} sum of two multiples`, gas[1], item(P, z) + item(Q, c),
        encode(P.multiply(z).add(Q.multiply(c))))
    add(address, `${name} sum of three multiples`, gas[2], item(P, 1n) + item(P, order - 1n) + item(Q, 2n),
        encode(Q.double()))
}
group(11, 'G1', 375, g1, G1.ZERO, C1, D1)
multiples(12, 'G1', [12000, 22776, 30528], g1, G1.ZERO, C1, D1)
group(13, 'G2', 600, g2, G2.ZERO, C2, D2)
multiples(14, 'G2', [22500, 45000, 62302], g2, G2.ZERO, C2, D2)

const minusCD = G1.BASE.multiply(order - (c * d) % order)
add(15, 'BLS pairing of two pairs that cancel', 37700 + 32600 * 2, g1(C1) + g2(D2) + g1(minusCD) + g2(G2.BASE), word(1n))
add(15, 'BLS pairing of two pairs that do not', 37700 + 32600 * 2, g1(C1) + g2(D2) + g1(minusCD) + g2(D2), word(0n))
add(15, 'BLS pairing with infinity', 37700 + 32600, g1(G1.ZERO) + g2(D2), word(1n))

// encodeToCurve maps one field element, which hashToField tells, and clears the cofactor.
const DST = 'leasehold vectors'
const settings = (m) => ({ DST, p: bls.fields.Fp.ORDER, m, k: 128, expand: 'xmd', hash: sha256 })
for (const t of ['one', 'two']) {
    const message = Buffer.from(t)
    const [[u]] = hashToField(message, 1, settings(1))
    const [[v, w]] = hashToField(message, 1, settings(2))
    add(16, `map of a number to G1, ${t}`, 5500, fp(u), g1(bls.G1.encodeToCurve(message, { DST })))
    add(17, `map of a number to G2, ${t}`, 23800, fp(v) + fp(w), g2(bls.G2.encodeToCurve(message, { DST })))
}

// ---- as C

function literal(digits) {
    const lines = digits.match(/.{1,64}/g) ?? ['']
    return lines.map((line) => `     "${line}"`).join('\n')
}

console.log(`/* tests/vm/precompile_vectors.h - vectors for each precompile, of our own.
 *
 * Made by precompile_vectors.mjs, which says how. Of the first vector of each precompile over
 * curves every bit of the input counts. */
#ifndef LEASEHOLD_TESTS_VM_PRECOMPILE_VECTORS_H
#define LEASEHOLD_TESTS_VM_PRECOMPILE_VECTORS_H

#include <stdint.h>

struct precompile_vector {
    uint8_t number;
    const char *name;
    int64_t gas;
    const char *input; /* hex */
    const char *output;
};

/* clang-format off */
static const struct precompile_vector precompile_vectors[] = {`)
for (const v of vectors.sort((x, y) => x.address - y.address)) {
    console.log(`    {0x${number(v.address, 1)}, "${v.name}", ${v.gas},\n${literal(v.input)},\n${literal(v.output)}},`)
}
console.log(`};
/* clang-format on */

#endif`)
