/* matmul.cu - C = A B for square matrices, tile by tile through shared memory.
 *
 * `fill` makes the inputs from a hash, `multiply` is the classical kernel, `check` computes some
 * elements anew in double precision and sums up all of C, `report` writes it down as text. */

#define TILE 16

static __device__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Numbers in [-1, 1). */
__global__ void fill(float *matrix, int n, int seed)
{
    int x = blockIdx.x * TILE + threadIdx.x;
    int y = blockIdx.y * TILE + threadIdx.y;
    int bits = (int)(scramble((unsigned)(y * n + x) ^ scramble((unsigned)seed)) >> 8);
    matrix[y * n + x] = (float)(bits - (1 << 23)) * 0x1p-23f;
}

__global__ void multiply(float *c, const float *a, const float *b, int n)
{
    __shared__ float left[TILE][TILE];
    __shared__ float right[TILE][TILE];
    int   tx = threadIdx.x, ty = threadIdx.y;
    int   x = blockIdx.x * TILE + tx, y = blockIdx.y * TILE + ty;
    float sum = 0.0f;
    for (int tile = 0; tile < n; tile += TILE) {
        left[ty][tx] = a[y * n + tile + tx];
        right[ty][tx] = b[(tile + ty) * n + x];
        __syncthreads();
        for (int k = 0; k < TILE; k++) sum += left[ty][k] * right[k][tx];
        __syncthreads();
    }
    c[y * n + x] = sum;
}

struct summary {
    unsigned long long checksum;   /* of the bits of all elements */
    long long          largest_off; /* difference from double precision, in units of 2^-40 */
};

/* A thread a row: sums up its bits, and computes one of its elements with more care. */
__global__ void check(summary *out, const float *c, const float *a, const float *b, int n)
{
    int                y = blockIdx.x * blockDim.x + threadIdx.x;
    int                x = (int)(scramble((unsigned)y) % (unsigned)n);
    unsigned long long sum = 0;
    double             exact = 0.0;
    for (int k = 0; k < n; k++) {
        sum += (unsigned long long)__float_as_uint(c[y * n + k]) * (unsigned)(y * n + k + 1);
        exact += (double)a[y * n + k] * (double)b[k * n + x];
    }
    atomicAdd(&out->checksum, sum);
    atomicMax(&out->largest_off, __double2ll_rn(fabs(exact - (double)c[y * n + x]) * 0x1p40));
}

/* ---- text ------------------------------------------------------------------------------------------ */

static __device__ char *put(char *at, const char *text)
{
    while (*text != 0) *at++ = *text++;
    return at;
}
static __device__ char *put_hex(char *at, unsigned long long value)
{
    for (int shift = 60; shift >= 0; shift -= 4) *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}
static __device__ char *put_number(char *at, long long value, int digits)
{
    long long unit = 1;
    if (value < 0) *at++ = '-';
    if (value < 0) value = -value;
    while (value / unit >= 10 || digits > 1) {
        unit *= 10;
        digits--;
    }
    for (; unit > 0; unit /= 10) *at++ = (char)('0' + value / unit % 10);
    return at;
}
/* Six digits behind the point. */
static __device__ char *put_fixed(char *at, double value)
{
    long long micro = __double2ll_rn(fabs(value) * 1e6);
    if (value < 0) *at++ = '-';
    at = put_number(at, micro / 1000000, 1);
    *at++ = '.';
    return put_number(at, micro % 1000000, 6);
}

__global__ void report(char *text, const summary *all, const float *c, int n)
{
    char *at = put_number(text, n, 1);
    at = put(at, " x ");
    at = put_number(at, n, 1);
    at = put(at, " product, checksum ");
    at = put_hex(at, all->checksum);
    at = put(at, "\nupper left corner:\n");
    for (int y = 0; y < 4; y++) {
        for (int x = 0; x < 4; x++) {
            at = put(at, c[y * n + x] < 0 ? "  " : "   ");
            at = put_fixed(at, c[y * n + x]);
        }
        at = put(at, "\n");
    }
    at = put(at, "one element a row computed anew in double precision: largest difference ");
    at = put_fixed(at, (double)all->largest_off * 0x1p-40);
    put(at, "\n");
}
