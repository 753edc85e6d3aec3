#!/usr/bin/env python3
"""constants.py - derives every number in *_constants.h and bls12_381_isogeny.h, and proves what the
C code relies on. Run by hand after a change; the build does not need it.

Sources: bn254: EIP-196, EIP-197 (x, p, r, generators). BLS12-381: EIP-2537, and the draft
"Pairing-Friendly Curves" (x, p, r, generators). Isogenies and SSWU parameters: RFC 9380, sections
8.8.1, 8.8.2, E.2 and E.3. [tau]_2: the KZG ceremony of EIP-4844 (trusted_setup, g2_monomial[1]).
Whatever else is here is computed from these: Frobenius and twist coefficients, endomorphisms,
digits of the loops, Montgomery forms.
"""
import os
from math import gcd

HERE = os.path.dirname(os.path.abspath(__file__))

ISOGENY_G1 = {
    'X_NUM': [
        0x11a05f2b1e833340b809101dd99815856b303e88a2d7005ff2627b56cdb4e2c85610c2d5f2e62d6eaeac1662734649b7,
        0x17294ed3e943ab2f0588bab22147a81c7c17e75b2f6a8417f565e33c70d1e86b4838f2a6f318c356e834eef1b3cb83bb,
        0xd54005db97678ec1d1048c5d10a9a1bce032473295983e56878e501ec68e25c958c3e3d2a09729fe0179f9dac9edcb0,
        0x1778e7166fcc6db74e0609d307e55412d7f5e4656a8dbf25f1b33289f1b330835336e25ce3107193c5b388641d9b6861,
        0xe99726a3199f4436642b4b3e4118e5499db995a1257fb3f086eeb65982fac18985a286f301e77c451154ce9ac8895d9,
        0x1630c3250d7313ff01d1201bf7a74ab5db3cb17dd952799b9ed3ab9097e68f90a0870d2dcae73d19cd13c1c66f652983,
        0xd6ed6553fe44d296a3726c38ae652bfb11586264f0f8ce19008e218f9c86b2a8da25128c1052ecaddd7f225a139ed84,
        0x17b81e7701abdbe2e8743884d1117e53356de5ab275b4db1a682c62ef0f2753339b7c8f8c8f475af9ccb5618e3f0c88e,
        0x80d3cf1f9a78fc47b90b33563be990dc43b756ce79f5574a2c596c928c5d1de4fa295f296b74e956d71986a8497e317,
        0x169b1f8e1bcfa7c42e0c37515d138f22dd2ecb803a0c5c99676314baf4bb1b7fa3190b2edc0327797f241067be390c9e,
        0x10321da079ce07e272d8ec09d2565b0dfa7dccdde6787f96d50af36003b14866f69b771f8c285decca67df3f1605fb7b,
        0x6e08c248e260e70bd1e962381edee3d31d79d7e22c837bc23c0bf1bc24c6b68c24b1b80b64d391fa9c8ba2e8ba2d229,
    ],
    'X_DEN': [
        0x8ca8d548cff19ae18b2e62f4bd3fa6f01d5ef4ba35b48ba9c9588617fc8ac62b558d681be343df8993cf9fa40d21b1c,
        0x12561a5deb559c4348b4711298e536367041e8ca0cf0800c0126c2588c48bf5713daa8846cb026e9e5c8276ec82b3bff,
        0xb2962fe57a3225e8137e629bff2991f6f89416f5a718cd1fca64e00b11aceacd6a3d0967c94fedcfcc239ba5cb83e19,
        0x3425581a58ae2fec83aafef7c40eb545b08243f16b1655154cca8abc28d6fd04976d5243eecf5c4130de8938dc62cd8,
        0x13a8e162022914a80a6f1d5f43e7a07dffdfc759a12062bb8d6b44e833b306da9bd29ba81f35781d539d395b3532a21e,
        0xe7355f8e4e667b955390f7f0506c6e9395735e9ce9cad4d0a43bcef24b8982f7400d24bc4228f11c02df9a29f6304a5,
        0x772caacf16936190f3e0c63e0596721570f5799af53a1894e2e073062aede9cea73b3538f0de06cec2574496ee84a3a,
        0x14a7ac2a9d64a8b230b3f5b074cf01996e7f63c21bca68a81996e1cdf9822c580fa5b9489d11e2d311f7d99bbdcc5a5e,
        0xa10ecf6ada54f825e920b3dafc7a3cce07f8d1d7161366b74100da67f39883503826692abba43704776ec3a79a1d641,
        0x95fc13ab9e92ad4476d6e3eb3a56680f682b4ee96f7d03776df533978f31c1593174e4b4b7865002d6384d168ecdd0a,
        0x1,
    ],
    'Y_NUM': [
        0x90d97c81ba24ee0259d1f094980dcfa11ad138e48a869522b52af6c956543d3cd0c7aee9b3ba3c2be9845719707bb33,
        0x134996a104ee5811d51036d776fb46831223e96c254f383d0f906343eb67ad34d6c56711962fa8bfe097e75a2e41c696,
        0xcc786baa966e66f4a384c86a3b49942552e2d658a31ce2c344be4b91400da7d26d521628b00523b8dfe240c72de1f6,
        0x1f86376e8981c217898751ad8746757d42aa7b90eeb791c09e4a3ec03251cf9de405aba9ec61deca6355c77b0e5f4cb,
        0x8cc03fdefe0ff135caf4fe2a21529c4195536fbe3ce50b879833fd221351adc2ee7f8dc099040a841b6daecf2e8fedb,
        0x16603fca40634b6a2211e11db8f0a6a074a7d0d4afadb7bd76505c3d3ad5544e203f6326c95a807299b23ab13633a5f0,
        0x4ab0b9bcfac1bbcb2c977d027796b3ce75bb8ca2be184cb5231413c4d634f3747a87ac2460f415ec961f8855fe9d6f2,
        0x987c8d5333ab86fde9926bd2ca6c674170a05bfe3bdd81ffd038da6c26c842642f64550fedfe935a15e4ca31870fb29,
        0x9fc4018bd96684be88c9e221e4da1bb8f3abd16679dc26c1e8b6e6a1f20cabe69d65201c78607a360370e577bdba587,
        0xe1bba7a1186bdb5223abde7ada14a23c42a0ca7915af6fe06985e7ed1e4d43b9b3f7055dd4eba6f2bafaaebca731c30,
        0x19713e47937cd1be0dfd0b8f1d43fb93cd2fcbcb6caf493fd1183e416389e61031bf3a5cce3fbafce813711ad011c132,
        0x18b46a908f36f6deb918c143fed2edcc523559b8aaf0c2462e6bfe7f911f643249d9cdf41b44d606ce07c8a4d0074d8e,
        0xb182cac101b9399d155096004f53f447aa7b12a3426b08ec02710e807b4633f06c851c1919211f20d4c04f00b971ef8,
        0x245a394ad1eca9b72fc00ae7be315dc757b3b080d4c158013e6632d3c40659cc6cf90ad1c232a6442d9d3f5db980133,
        0x5c129645e44cf1102a159f748c4a3fc5e673d81d7e86568d9ab0f5d396a7ce46ba1049b6579afb7866b1e715475224b,
        0x15e6be4e990f03ce4ea50b3b42df2eb5cb181d8f84965a3957add4fa95af01b2b665027efec01c7704b456be69c8b604,
    ],
    'Y_DEN': [
        0x16112c4c3a9c98b252181140fad0eae9601a6de578980be6eec3232b5be72e7a07f3688ef60c206d01479253b03663c1,
        0x1962d75c2381201e1a0cbd6c43c348b885c84ff731c4d59ca4a10356f453e01f78a4260763529e3532f6102c2e49a03d,
        0x58df3306640da276faaae7d6e8eb15778c4855551ae7f310c35a5dd279cd2eca6757cd636f96f891e2538b53dbf67f2,
        0x16b7d288798e5395f20d23bf89edb4d1d115c5dbddbcd30e123da489e726af41727364f2c28297ada8d26d98445f5416,
        0xbe0e079545f43e4b00cc912f8228ddcc6d19c9f0f69bbb0542eda0fc9dec916a20b15dc0fd2ededda39142311a5001d,
        0x8d9e5297186db2d9fb266eaac783182b70152c65550d881c5ecd87b6f0f5a6449f38db9dfa9cce202c6477faaf9b7ac,
        0x166007c08a99db2fc3ba8734ace9824b5eecfdfa8d0cf8ef5dd365bc400a0051d5fa9c01a58b1fb93d1a1399126a775c,
        0x16a3ef08be3ea7ea03bcddfabba6ff6ee5a4375efa1f4fd7feb34fd206357132b920f5b00801dee460ee415a15812ed9,
        0x1866c8ed336c61231a1be54fd1d74cc4f9fb0ce4c6af5920abc5750c4bf39b4852cfe2f7bb9248836b233d9d55535d4a,
        0x167a55cda70a6e1cea820597d94a84903216f763e13d87bb5308592e7ea7d4fbc7385ea3d529b35e346ef48bb8913f55,
        0x4d2f259eea405bd48f010a01ad2911d9c6dd039bb61a6290e591b36e636a5c871a5c29f4f83060400f8b49cba8f6aa8,
        0xaccbb67481d033ff5852c1e48c50c477f94ff8aefce42d28c0f9a88cea7913516f968986f7ebbea9684b529e2561092,
        0xad6b9514c767fe3c3613144b45f1496543346d98adf02267d5ceef9a00d9b8693000763e3b90ac11e99b138573345cc,
        0x2660400eb2e4f3b628bdd0d53cd76f2bf565b94e72927c1cb748df27942480e420517bd8714cc80d1fadc1326ed06f7,
        0xe0fa1d816ddc03e6b24255e0d7819c171c40f65e273b853324efcd6356caa205ca2f570f13497804415473a1d634b8f,
        0x1,
    ],
}
ISOGENY_G2 = {
    'X_NUM': [
        (0x5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6,
         0x5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97d6),
        (0x0,
         0x11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71a),
        (0x11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71e,
         0x8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38d),
        (0x171d6541fa38ccfaed6dea691f5fb614cb14b4e7f4e810aa22d6108f142b85757098e38d0f671c7188e2aaaaaaaa5ed1,
         0x0),
    ],
    'X_DEN': [
        (0x0,
         0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa63),
        (0xc,
         0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa9f),
        (0x1,
         0x0),
    ],
    'Y_NUM': [
        (0x1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706,
         0x1530477c7ab4113b59a4c18b076d11930f7da5d4a07f649bf54439d87d27e500fc8c25ebf8c92f6812cfc71c71c6d706),
        (0x0,
         0x5c759507e8e333ebb5b7a9a47d7ed8532c52d39fd3a042a88b58423c50ae15d5c2638e343d9c71c6238aaaaaaaa97be),
        (0x11560bf17baa99bc32126fced787c88f984f87adf7ae0c7f9a208c6b4f20a4181472aaa9cb8d555526a9ffffffffc71c,
         0x8ab05f8bdd54cde190937e76bc3e447cc27c3d6fbd7063fcd104635a790520c0a395554e5c6aaaa9354ffffffffe38f),
        (0x124c9ad43b6cf79bfbf7043de3811ad0761b0f37a1e26286b0e977c69aa274524e79097a56dc4bd9e1b371c71c718b10,
         0x0),
    ],
    'Y_DEN': [
        (0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa8fb,
         0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa8fb),
        (0x0,
         0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffa9d3),
        (0x12,
         0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaa99),
        (0x1,
         0x0),
    ],
}


class F2:
    """a + b u over GF(p), u^2 = -1."""
    p = 0

    def __init__(self, a, b=0):
        self.a, self.b = a % self.p, b % self.p

    def __add__(self, o): return type(self)(self.a + o.a, self.b + o.b)
    def __sub__(self, o): return type(self)(self.a - o.a, self.b - o.b)
    def __neg__(self): return type(self)(-self.a, -self.b)
    def __eq__(self, o): return (self.a, self.b) == (o.a, o.b)
    def __mul__(self, o): return type(self)(self.a * o.a - self.b * o.b, self.a * o.b + self.b * o.a)

    def conj(self): return type(self)(self.a, -self.b)

    def inv(self):
        n = pow(self.a * self.a + self.b * self.b, -1, self.p)
        return type(self)(self.a * n, -self.b * n)

    def __pow__(self, e):
        r, b = type(self)(1), self
        while e:
            if e & 1: r = r * b
            b, e = b * b, e >> 1
        return r

    def sqrt(self):  # p = 3 mod 4: the complex method
        n = pow(self.a * self.a + self.b * self.b, (self.p + 1) // 4, self.p)
        for sign in (n, -n):
            t = (self.a + sign) * pow(2, -1, self.p) % self.p
            x = pow(t, (self.p + 1) // 4, self.p)
            if x * x % self.p == t and x:
                r = type(self)(x, self.b * pow(2 * x, -1, self.p))
                if r * r == self: return r
        return None


class F1:
    p = 0
    def __init__(self, a): self.a = a % self.p
    def __add__(self, o): return type(self)(self.a + o.a)
    def __sub__(self, o): return type(self)(self.a - o.a)
    def __neg__(self): return type(self)(-self.a)
    def __eq__(self, o): return self.a == o.a
    def __mul__(self, o): return type(self)(self.a * o.a)
    def inv(self): return type(self)(pow(self.a, -1, self.p))
    def __pow__(self, e): return type(self)(pow(self.a, e, self.p))


def add(p, q):  # affine, None is infinity, y^2 = x^3 + b
    if p is None: return q
    if q is None: return p
    if p[0] == q[0]:
        if not p[1] == q[1]: return None
        xx = p[0] * p[0]
        m = (xx + xx + xx) * (p[1] + p[1]).inv()
    else:
        m = (q[1] - p[1]) * (q[0] - p[0]).inv()
    x = m * m - p[0] - q[0]
    return (x, m * (p[0] - x) - p[1])


def mul(p, n):
    if n < 0: return mul((p[0], -p[1]), -n)
    r = None
    while n:
        if n & 1: r = add(r, p)
        p, n = add(p, p), n >> 1
    return r


def naf(n):
    out = []
    while n:
        d = 2 - n % 4 if n & 1 else 0
        out.append(d)
        n = (n - d) // 2
    return out


class Writer:
    def __init__(self, p, limbs):
        self.p, self.limbs, self.R = p, limbs, 1 << (64 * limbs)
        self.text = ''

    def raw(self, n): return '{{' + ', '.join('0x%016x' % (n >> 64 * i & (2**64 - 1)) for i in range(self.limbs)) + '}}'
    def value(self, x):
        if isinstance(x, F2): return '{' + self.raw(x.a * self.R % self.p) + ', ' + self.raw(x.b * self.R % self.p) + '}'
        return self.raw((x.a if isinstance(x, F1) else x) * self.R % self.p)
    def put(self, kind, name, text, comment=''):
        if comment: self.text += '/* %s */\n' % comment
        self.text += 'static const %s %s __attribute__((unused)) = %s;\n' % (kind, name, text)
    def fp(self, name, x, comment=''): self.put('struct fp', name, self.value(x), comment)
    def fp2(self, name, x, comment=''): self.put('struct fp2', name, self.value(x), comment)
    def affine(self, kind, name, point, comment=''):
        self.put('struct ' + kind, name, '{%s, %s, false}' % (self.value(point[0]), self.value(point[1])), comment)
    def digits(self, name, n, comment=''):
        d = naf(n)
        assert sum(x << i for i, x in enumerate(d)) == n and d[-1] == 1
        self.put('int8_t', name + '[%d]' % len(d), '{' + ', '.join(map(str, d)) + '}', comment)
    def save(self, name, what):
        choose = '#ifndef CURVE_BLS12_381\n#define CURVE_BLS12_381\n#endif\n' if self.limbs == 6 else ''
        guard = 'LEASEHOLD_VM_CURVE_' + name.upper().replace('.', '_')
        with open(os.path.join(HERE, name), 'w') as f:
            f.write('/* vm/curve/%s - %s\n *\n * Made by constants.py, which names the sources; field elements are in Montgomery form. */\n'
                    '#ifndef %s\n#define %s\n\n%s#include "vm/curve/types.h"\n\n%s\n#endif\n' % (name, what, guard, guard, choose, self.text))


def solve_resultant(f, t, p):
    """Res(f, X^2 - tX + p): if f(psi) kills a point, so does this number."""
    # companion matrix M of X^2 - tX + p; Res = det f(M)
    M = [[0, -p], [1, t]]
    A = [[0, 0], [0, 0]]
    for c in reversed(f):
        A = [[sum(A[i][k] * M[k][j] for k in range(2)) + (c if i == j else 0) for j in range(2)] for i in range(2)]
    return A[0][0] * A[1][1] - A[0][1] * A[1][0]


def curve(name, limbs, x, p, r, t, xi, b, twist, g1, g2, loop):
    class Fp(F1): pass
    class Fp2(F2): pass
    Fp.p = Fp2.p = p
    xi, b = Fp2(*xi), Fp(b)
    b2 = Fp2(b.a) * (xi.inv() if twist == 'D' else xi)
    g1 = tuple(map(Fp, g1))
    g2 = tuple(Fp2(*c) for c in g2)
    assert g1[1] * g1[1] == g1[0] ** 3 + b and g2[1] * g2[1] == g2[0] ** 3 + b2
    assert mul(g1, r) is None and mul(g2, r) is None and p % 4 == 3 and p % 6 == 1
    w = Writer(p, limbs)
    w.put('struct fp', 'FP_MODULUS', w.raw(p), 'p itself, not in Montgomery form')
    w.text += '/* -1/p mod 2^64 */\n#define FP_NEGATIVE_INVERSE UINT64_C(0x%x)\n' % (-pow(p, -1, 2**64) % 2**64)
    w.text += '/* 1/p mod 2^62, for the divsteps of fp_inverse */\n#define FP_INVERSE_62 UINT64_C(0x%x)\n' % pow(p, -1, 2**62)
    w.fp('FP_ONE', Fp(1), 'R mod p with R = 2^(64 * FP_LIMBS)')
    w.put('struct fp', 'FP_R2', w.raw(w.R * w.R % p), 'R^2 mod p: what turns an integer into Montgomery form')
    w.put('struct fp', 'FP_R3', w.raw(w.R ** 3 % p), 'R^3 mod p: what turns 1/(aR) into R/a')
    w.put('struct fp', 'FP_SQRT_EXPONENT', w.raw((p + 1) // 4), '(p + 1) / 4, an integer')
    w.put('struct fp', 'FP_HALF_MODULUS', w.raw((p - 1) // 2), '(p - 1) / 2, an integer')
    w.fp('FP_HALF', Fp(pow(2, -1, p)), '1/2')
    w.put('struct scalar', 'GROUP_ORDER', '{{' + ', '.join('0x%016x' % (r >> 64 * i & (2**64 - 1)) for i in range(4)) + '}}', 'r, an integer')
    w.fp('G1_B', b)
    w.fp2('G2_B', b2)
    w.affine('g1_affine', 'G1_GENERATOR', g1)
    w.affine('g2_affine', 'G2_GENERATOR', g2)
    assert p**2 % 6 == 1
    rows = []
    for k in (1, 2, 3):
        rows.append('{' + ', '.join(w.value(xi ** (i * (p**k - 1) // 6)) for i in range(6)) + '}')
    w.put('struct fp2', 'FROBENIUS[3][6]', '{' + ', '.join(rows) + '}', 'xi^(i (p^k - 1) / 6), k = 1, 2, 3: what w^i picks up under x -> x^(p^k)')
    px, py = xi ** ((p - 1) // 3), xi ** ((p - 1) // 2)
    if twist == 'M': px, py = px.inv(), py.inv()
    psi = lambda q: (q[0].conj() * px, q[1].conj() * py)
    assert psi(g2) == mul(g2, p % r) and (t - 1 - p) % r == 0
    w.fp2('PSI_X', px, 'psi(x, y) = (PSI_X conj(x), PSI_Y conj(y)): Frobenius carried over to the twist')
    w.fp2('PSI_Y', py)
    w.digits('CURVE_X_DIGITS', abs(x), 'the absolute value of the curve\'s parameter x, signed digits, lowest first')
    w.digits('LOOP_DIGITS', loop, 'the length of the Miller loop')
    # Orders: #E(Fp) = p + 1 - t; the twist's: one of the six candidates (the one r divides).
    n1 = p + 1 - t
    t2 = t * t - 2 * p
    f = isqrt((4 * p * p - t2 * t2) // 3)
    assert 3 * f * f == 4 * p * p - t2 * t2
    n2 = next(n for n in (p * p + 1 - (t2 + 3 * f) // 2, p * p + 1 - (t2 - 3 * f) // 2,
                          p * p + 1 + (t2 + 3 * f) // 2, p * p + 1 + (t2 - 3 * f) // 2) if n % r == 0 and n != n1 and check_order(Fp2, b2, n))
    assert n1 % r == 0 and n1 % (r * r) and n2 % (r * r)
    return w, Fp, Fp2, b, b2, g1, g2, psi, n1, n2


def isqrt(n):
    from math import isqrt as root
    return root(n)


def check_order(Fp2, b2, n):
    x, found = 1, 0
    while found < 3:
        y = (Fp2(x, 1) ** 3 + b2).sqrt()
        if y is not None:
            if mul((Fp2(x, 1), y), n) is not None: return False
            found += 1
        x += 1
    return True


def bn254():
    x = 4965661367192848881
    p = 36*x**4 + 36*x**3 + 24*x**2 + 6*x + 1
    r = 36*x**4 + 36*x**3 + 18*x**2 + 6*x + 1
    t = 6*x**2 + 1
    g2 = ((0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
           0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2),
          (0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa,
           0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b))
    w, Fp, Fp2, b, b2, g1, g2, psi, n1, n2 = curve('bn254', 4, x, p, r, t, (9, 1), 3, 'D', (1, 2), g2, 6*x + 2)
    assert n1 == r  # every point of E(Fp) is in the group
    # G2 check (El Housni, Guillevic, Piellard, eprint 2022/352): (x+1)Q + psi(xQ) + psi^2(xQ) = psi^3(2xQ).
    assert gcd(solve_resultant([x + 1, x, x, -2*x], t, p), n2) == r
    assert ((x + 1) + x*p + x*p**2 - 2*x*p**3) % r == 0
    w.save('bn254_constants.h', 'the numbers of bn254 (alt_bn128; EIP-196, EIP-197).')


def bls12_381():
    x = -0xd201000000010000
    r = x**4 - x**2 + 1
    p = (x - 1)**2 * r // 3 + x
    t = x + 1
    g1 = (0x17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb,
          0x08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1)
    g2 = ((0x024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8,
           0x13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e),
          (0x0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801,
           0x0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be))
    w, Fp, Fp2, b, b2, g1, g2, psi, n1, n2 = curve('bls12_381', 6, x, p, r, t, (1, 1), 4, 'M', g1, g2, -x)
    # G1 check (Scott, eprint 2021/1130): phi(P) = -x^2 P, phi(x, y) = (beta x, y), so (x^4 - x^2 + 1)P = rP = 0.
    for g in range(2, 9):
        beta = Fp(pow(g, (p - 1) // 3, p))
        if not beta == Fp(1) and (beta * g1[0], g1[1]) == mul(g1, -x**2): break
        beta = beta * beta
        if not beta == Fp(1) and (beta * g1[0], g1[1]) == mul(g1, -x**2): break
    assert (beta * g1[0], g1[1]) == mul(g1, -x**2) and beta ** 3 == Fp(1)
    w.fp('BETA', beta, 'a cube root of 1: phi(x, y) = (BETA x, y) multiplies G1 by -x^2')
    # G2 check: psi(Q) = xQ.
    assert gcd(solve_resultant([-x, 1], t, p), n2) == r
    tau = 0xb5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2
    tx = Fp2(tau & (2**384 - 1), (tau >> 384) & (2**381 - 1))
    ty = (tx ** 3 + b2).sqrt()
    bigger = ty.b > (p - 1) // 2 if ty.b else ty.a > (p - 1) // 2
    if bigger != bool(tau >> 765 & 1): ty = -ty
    assert mul((tx, ty), r) is None and psi((tx, ty)) == mul((tx, ty), x)
    w.affine('g2_affine', 'KZG_TAU_G2', (tx, ty), '[tau]_2 of the KZG ceremony (EIP-4844)')
    w.save('bls12_381_constants.h', 'the numbers of BLS12-381 (EIP-2537) and of the KZG ceremony.')
    isogenies(Writer(p, 6), Fp, Fp2, b, b2)


def polynomial(c, x, like):
    r = like(0)
    for k in reversed(c): r = r * x + k
    return r


def isogenies(w, Fp, Fp2, b, b2):
    a1 = Fp(0x144698a3b8e9433d693a02c96d4982b0ea985383ee66a8d8e8981aefd881ac98936f8da0e0f97f5cf428082d584c1d)
    b1 = Fp(0x12e2908d11688030018b12e8753eee3b2016c1f0f24f4070a0b9c14fcef35ef55a23215a316ceaa5d1cc48e98e172be0)
    w.fp('SSWU_G1_A', a1, 'E1\': y^2 = x^3 + A x + B (RFC 9380, 8.8.1)')
    w.fp('SSWU_G1_B', b1)
    w.fp('SSWU_G1_Z', Fp(11))
    w.fp2('SSWU_G2_A', Fp2(0, 240), 'E2\' (RFC 9380, 8.8.2)')
    w.fp2('SSWU_G2_B', Fp2(1012, 1012))
    w.fp2('SSWU_G2_Z', Fp2(-2, -1))
    for name, table, like, sa, sb, target in (('G1', ISOGENY_G1, Fp, a1, b1, b), ('G2', ISOGENY_G2, Fp2, Fp2(0, 240), Fp2(1012, 1012), b2)):
        poly = {k: [like(*c) if isinstance(c, tuple) else like(c) for c in v] for k, v in table.items()}
        for n in range(1, 20):  # each point of E' must land on E: (y yn/yd)^2 = (xn/xd)^3 + b, with y^2 = x^3 + Ax + B
            x = like(n)
            xv = polynomial(poly['X_NUM'], x, like) * polynomial(poly['X_DEN'], x, like).inv()
            yv = polynomial(poly['Y_NUM'], x, like) * polynomial(poly['Y_DEN'], x, like).inv()
            assert (x ** 3 + sa * x + sb) * yv * yv == xv ** 3 + target
        for k, v in poly.items():
            kind = 'struct fp' if like is Fp else 'struct fp2'
            w.put(kind, 'ISOGENY_%s_%s[%d]' % (name, k, len(v)), '{' + ', '.join(map(w.value, v)) + '}')
    w.save('bls12_381_isogeny.h', 'SSWU parameters, isogenies, lowest power first (RFC 9380).')


if __name__ == '__main__':
    bn254()
    bls12_381()
