/* sgemm.cu - C = A B in single precision, as fast as a card goes without its tensor cores.
 *
 * A block of 256 threads makes 128 x 128 numbers of C, each thread 8 x 8 of them in registers. While
 * it multiplies one slab of A and B in shared memory it loads the next, so that memory is never
 * waited for. Each number of C is one chain of fmaf in the order of k: fmaf rounds once and has one
 * result everywhere, and it is what a card does at its full rate. */

#define TILE 128           /* of C, for a block */
#define SLAB 16            /* columns of A and rows of B in shared memory at a time */
#define PART 8             /* of C, for a thread, in each direction */
#define THREADS (TILE * TILE / (PART * PART))
#define SPLIT (TILE / 2)   /* a thread has 4 rows in each half of the tile, and 4 columns */
#define PAD 4              /* keeps threads that store a column of A off each other's banks */

/* ---- the product ------------------------------------------------------------------------------------ */

/* What a thread carries from memory to shared memory: 8 numbers of A and 8 of B. */
struct load {
    float4 a[2];
    float4 b[2];
};

/* A: row i / 4 and columns from 4 (i % 4) of the slab. B: row i / 32, columns from 4 (i % 32). */
static __device__ __forceinline__ void fetch(load &l, const float *a, const float *b, int n,
                                             int thread)
{
    for (int part = 0; part < 2; part++) {
        int i = thread + part * THREADS;
        l.a[part] = *(const float4 *)(a + (size_t)(i / 4) * n + i % 4 * 4);
        l.b[part] = *(const float4 *)(b + (size_t)(i / 32) * n + i % 32 * 4);
    }
}
static __device__ __forceinline__ void store(float (*left)[TILE + PAD], float (*right)[TILE],
                                             const load &l, int thread)
{
    for (int part = 0; part < 2; part++) {
        int i = thread + part * THREADS, row = i / 4, k = i % 4 * 4;
        left[k][row] = l.a[part].x; /* turned: a column of A is read at once */
        left[k + 1][row] = l.a[part].y;
        left[k + 2][row] = l.a[part].z;
        left[k + 3][row] = l.a[part].w;
        *(float4 *)&right[i / 32][i % 32 * 4] = l.b[part];
    }
}

/* Eight numbers of a row in shared memory: four from each half. */
static __device__ __forceinline__ void pick(float (&out)[PART], const float *row, int at)
{
    float4 low = *(const float4 *)(row + at), high = *(const float4 *)(row + SPLIT + at);
    out[0] = low.x;
    out[1] = low.y;
    out[2] = low.z;
    out[3] = low.w;
    out[4] = high.x;
    out[5] = high.y;
    out[6] = high.z;
    out[7] = high.w;
}

static __device__ __forceinline__ void add_slab(float (&sum)[PART][PART],
                                                const float (*left)[TILE + PAD],
                                                const float (*right)[TILE], int x, int y)
{
#pragma unroll
    for (int k = 0; k < SLAB; k++) {
        float a[PART], b[PART];
        pick(a, left[k], y);
        pick(b, right[k], x);
#pragma unroll
        for (int i = 0; i < PART; i++) {
#pragma unroll
            for (int j = 0; j < PART; j++) sum[i][j] = fmaf(a[i], b[j], sum[i][j]);
        }
    }
}

static __device__ __forceinline__ void write_out(float *c, int n, const float (&sum)[PART][PART],
                                                 int x, int y)
{
    for (int i = 0; i < PART; i++) {
        float *row = c + (size_t)(y + i % 4 + i / 4 * SPLIT) * n + x;
        *(float4 *)row = make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
        *(float4 *)(row + SPLIT) = make_float4(sum[i][4], sum[i][5], sum[i][6], sum[i][7]);
    }
}

/* n is a multiple of 128. */
__global__ void __launch_bounds__(THREADS, 2) multiply(float *c, const float *a, const float *b,
                                                       int n)
{
    __shared__ __align__(16) float left[2][SLAB][TILE + PAD];
    __shared__ __align__(16) float right[2][SLAB][TILE];
    int   thread = threadIdx.x, x = thread % 16 * 4, y = thread / 16 * 4;
    float sum[PART][PART] = {};
    load  next;
    a += (size_t)blockIdx.y * TILE * n;
    b += (size_t)blockIdx.x * TILE;
    c += (size_t)blockIdx.y * TILE * n + blockIdx.x * TILE;
    fetch(next, a, b, n, thread);
    store(left[0], right[0], next, thread);
    __syncthreads();
    for (int k = 0, now = 0; k < n; k += SLAB, now ^= 1) {
        bool more = k + SLAB < n;
        if (more) fetch(next, a + k + SLAB, b + (size_t)(k + SLAB) * n, n, thread);
        add_slab(sum, left[now], right[now], x, y);
        if (more) store(left[now ^ 1], right[now ^ 1], next, thread);
        __syncthreads();
    }
    write_out(c, n, sum, x, y);
}

/* ---- what goes in, and what is said of what comes out ------------------------------------------------- */

static __device__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Numbers in [-1, 1). */
__global__ void fill(float *matrix, int n, int seed)
{
    unsigned i = (blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x;
    int      bits = (int)(scramble(i ^ scramble((unsigned)seed)) >> 8);
    if (i < (unsigned)n * (unsigned)n) matrix[i] = (float)(bits - (1 << 23)) * 0x1p-23f;
}

struct summary {
    unsigned long long checksum;    /* of the bits of all elements */
    long long          largest_off; /* difference from double precision, in units of 2^-40 */
};

/* A thread a column: sums up its bits, and computes one of its elements with more care. */
__global__ void check(summary *out, const float *c, const float *a, const float *b, int n)
{
    int                x = blockIdx.x * blockDim.x + threadIdx.x;
    int                y = (int)(scramble((unsigned)x) % (unsigned)n);
    unsigned long long sum = 0;
    double             exact = 0.0;
    for (int k = 0; k < n; k++) {
        size_t at = (size_t)k * n + x;
        sum += (unsigned long long)__float_as_uint(c[at]) * (at + 1);
        exact = fma((double)a[(size_t)y * n + k], (double)b[at], exact);
    }
    double off = fabs(exact - (double)c[(size_t)y * n + x]);
    atomicAdd(&out->checksum, sum);
    atomicMax(&out->largest_off, __double2ll_rn(off * 0x1p40));
}

static __device__ char *put(char *at, const char *text)
{
    while (*text != 0) *at++ = *text++;
    return at;
}
static __device__ char *put_number(char *at, long long value, int digits)
{
    long long unit = 1;
    for (; value / unit >= 10 || digits > 1; digits--) unit *= 10;
    for (; unit > 0; unit /= 10) *at++ = (char)('0' + value / unit % 10);
    return at;
}

__global__ void report(char *text, const summary *all, int n)
{
    char *at = put_number(text, n, 1);
    at = put(at, " x ");
    at = put_number(at, n, 1);
    at = put(at, " product, checksum ");
    for (int shift = 60; shift >= 0; shift -= 4) {
        *at++ = "0123456789abcdef"[all->checksum >> shift & 15];
    }
    at = put(at, "\none element a column computed anew in double precision: largest difference 0.");
    at = put_number(at, __double2ll_rn((double)all->largest_off * 0x1p-40 * 1e6), 6);
    put(at, "\n");
}
