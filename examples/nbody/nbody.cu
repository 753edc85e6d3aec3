/* nbody.cu - two disk galaxies pass through each other.
 *
 * Every body pulls every other: a block of threads loads a tile of bodies into shared memory and
 * each thread adds up the pull of the tile on its own body. The last launches make a picture: each
 * body leaves its light in integer counters, so that the order in which it falls does not matter. */

#define TILE 256
#define LANES 16 /* sums kept side by side: their order is fixed, and they fit vector registers */
#define PI 3.14159265f
#define SIZE 640
#define FRAME (SIZE / 2) /* of the film */

/* ---- the start ---------------------------------------------------------------------------------- */

static __device__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}
static __device__ float chance(unsigned body, unsigned what)
{
    return (float)(scramble(body * 16u + what) >> 8) * 0x1p-24f;
}

struct galaxy {
    float3 place;
    float3 speed;
    float  tilt; /* of the disk, about the x axis */
    float  turn; /* then about the z axis */
    float  spin; /* 1 or -1 */
    float  radius;
};

static __device__ float3 rotated(float3 p, float tilt, float turn)
{
    float s, c, s2, c2;
    sincosf(tilt, &s, &c);
    sincosf(turn, &s2, &c2);
    float y = p.y * c - p.z * s, z = p.y * s + p.z * c;
    return make_float3(p.x * c2 - y * s2, p.x * s2 + y * c2, z);
}

/* Half of the mass is one heavy body in the middle, the disk is light and turns about it. */
__global__ void begin(float4 *place, float4 *speed, int count)
{
    const galaxy G[2] = {
        {{-1.10f, -0.42f, 0.10f}, {0.42f, 0.10f, 0.0f}, 0.55f, 0.35f, 1.0f, 1.0f},
        {{1.25f, 0.50f, -0.10f}, {-0.50f, -0.12f, 0.0f}, 1.05f, -0.6f, 1.0f, 0.8f}};
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    int    half = count / 2, which = i < half ? 0 : 1;
    galaxy g = G[which];
    float  middle = which == 0 ? 0.50f : 0.36f, disk = which == 0 ? 0.42f : 0.30f;
    float  mass = i % half == 0 ? middle : disk / (float)half;
    float3 p = {0.0f, 0.0f, 0.0f}, v = {0.0f, 0.0f, 0.0f};
    if (i % half != 0) {
        float s, c, u = chance(i, 0);
        float share = u * (0.35f + 0.65f * u); /* denser inside */
        float r = g.radius * (0.06f + 0.94f * sqrtf(share));
        sincosf(2.0f * PI * chance(i, 1), &s, &c);
        float round = g.spin * sqrtf((middle + disk * share) / sqrtf(r * r + 0.0025f));
        float jitter = 0.03f * (chance(i, 3) - 0.5f);
        p = make_float3(r * c, r * s, (chance(i, 2) - 0.5f) * 0.06f);
        v = make_float3(-s * round + jitter, c * round - jitter, jitter);
    }
    p = rotated(p, g.tilt, g.turn);
    v = rotated(v, g.tilt, g.turn);
    place[i] = make_float4(p.x + g.place.x, p.y + g.place.y, p.z + g.place.z, mass);
    speed[i] = make_float4(v.x + g.speed.x, v.y + g.speed.y, v.z + g.speed.z, 0.0f);
}

/* ---- a step ----------------------------------------------------------------------------------------- */

/* The pull on each body, from all. Lane k of the sums takes bodies k, k + LANES, ... of a tile. */
__global__ void pull(float4 *speed, const float4 *place, int count, float softening, float time)
{
    __shared__ float x[TILE], y[TILE], z[TILE], mass[TILE];
    int    i = blockIdx.x * TILE + threadIdx.x;
    float4 me = place[i];
    float  ax[LANES] = {}, ay[LANES] = {}, az[LANES] = {};
    for (int tile = 0; tile < count; tile += TILE) {
        float4 other = place[tile + threadIdx.x];
        x[threadIdx.x] = other.x;
        y[threadIdx.x] = other.y;
        z[threadIdx.x] = other.z;
        mass[threadIdx.x] = other.w;
        __syncthreads();
        for (int j = 0; j < TILE; j += LANES) {
            for (int k = 0; k < LANES; k++) {
                float dx = x[j + k] - me.x, dy = y[j + k] - me.y, dz = z[j + k] - me.z;
                float square = dx * dx + dy * dy + dz * dz + softening;
                float force = mass[j + k] / (square * sqrtf(square));
                ax[k] += dx * force;
                ay[k] += dy * force;
                az[k] += dz * force;
            }
        }
        __syncthreads();
    }
    float4 v = speed[i];
    for (int k = 0; k < LANES; k++) {
        v.x += ax[k] * time;
        v.y += ay[k] * time;
        v.z += az[k] * time;
    }
    speed[i] = v;
}

__global__ void move(float4 *place, const float4 *speed, float time)
{
    int    i = blockIdx.x * blockDim.x + threadIdx.x;
    float4 p = place[i], v = speed[i];
    place[i] = make_float4(p.x + v.x * time, p.y + v.y * time, p.z + v.z * time, p.w);
}

/* ---- the picture ---------------------------------------------------------------------------------------- */

/* Light falls on the pixels around a body, less with distance: a bright core and a wide glow. */
static __device__ void shine(unsigned *light, float px, float py, float3 colour, float radius)
{
    int   x0 = __float2int_rd(px - radius), x1 = __float2int_rd(px + radius) + 1;
    int   y0 = __float2int_rd(py - radius), y1 = __float2int_rd(py + radius) + 1;
    float scale = 1.0f / (radius * radius);
    for (int y = max(y0, 0); y <= min(y1, SIZE - 1); y++) {
        for (int x = max(x0, 0); x <= min(x1, SIZE - 1); x++) {
            float dx = (float)x - px, dy = (float)y - py;
            float rest = 1.0f - (dx * dx + dy * dy) * scale;
            if (rest <= 0.0f) continue;
            float strength = rest * rest * rest * scale * 65536.0f;
            unsigned *at = light + (y * SIZE + x) * 3;
            atomicAdd(at, (unsigned)(colour.x * strength));
            atomicAdd(at + 1, (unsigned)(colour.y * strength));
            atomicAdd(at + 2, (unsigned)(colour.z * strength));
        }
    }
}

__global__ void expose(unsigned *light, const float4 *place, const float4 *speed, int count,
                       float zoom, float brightness)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    float4 p = place[i], v = speed[i];
    bool   first = i < count / 2, heart = i % (count / 2) == 0;
    float  haste = sqrtf(v.x * v.x + v.y * v.y + v.z * v.z) * 0.45f;
    float  warm = haste > 1.0f ? 1.0f : haste;
    float3 slow = first ? make_float3(0.95f, 0.38f, 0.16f) : make_float3(0.16f, 0.40f, 1.00f);
    float3 fast = first ? make_float3(1.00f, 0.86f, 0.58f) : make_float3(0.72f, 0.90f, 1.00f);
    float3 colour = {slow.x + (fast.x - slow.x) * warm, slow.y + (fast.y - slow.y) * warm,
                     slow.z + (fast.z - slow.z) * warm};
    float  young = chance(i, 5) < 0.06f ? 4.0f : 1.0f; /* a few stars outshine the others */
    float  power = brightness * (heart ? 60.0f : young);
    float  px = 0.5f * SIZE + p.x * zoom, py = 0.5f * SIZE - p.y * zoom;
    float3 core = {colour.x * power, colour.y * power, colour.z * power};
    float3 glow = {core.x * 3.0f, core.y * 3.0f, core.z * 3.0f};
    shine(light, px, py, core, heart ? 6.0f : 1.6f);
    shine(light, px, py, glow, heart ? 40.0f : 13.0f);
}

/* Brightness is what film makes of it; colour stays, but what is very bright bleaches. */
static __device__ unsigned char tone(float part, float most)
{
    float mapped = log2f(1.0f + most) * (1.0f / 8.0f);
    float share = part / most;
    float bleach = mapped * mapped * 0.55f;
    share += (1.0f - share) * (bleach > 1.0f ? 1.0f : bleach);
    return (unsigned char)__float2int_rd(__saturatef(share * mapped) * 255.0f + 0.5f);
}

/* FRAME x FRAME of four points of light each, and darkness for the next frame. */
__global__ void develop_frame(unsigned char *film, unsigned *light, int frame)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x, x = i % FRAME * 2, y = i / FRAME * 2;
    const float night[3] = {0.08f, 0.09f, 0.16f};
    float       colour[3];
    for (int c = 0; c < 3; c++) {
        unsigned *at = light + (y * SIZE + x) * 3 + c;
        unsigned  sum = at[0] + at[3] + at[SIZE * 3] + at[SIZE * 3 + 3];
        colour[c] = (float)sum * (1.0f / 16384.0f) + night[c];
        at[0] = at[3] = at[SIZE * 3] = at[SIZE * 3 + 3] = 0;
    }
    float most = max(colour[0], max(colour[1], colour[2]));
    for (int c = 0; c < 3; c++) {
        film[(frame * FRAME * FRAME + i) * 3 + c] = tone(colour[c], most);
    }
}

__global__ void develop(unsigned char *image, const unsigned *light)
{
    int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= SIZE * SIZE) return;
    unsigned hash = scramble((unsigned)at * 7919u + 17u);
    float    star = hash % 1499u == 0 ? (float)(hash >> 24) * 0.02f : 0.0f;
    float    red = (float)light[at * 3] * (1.0f / 4096.0f) + 0.08f + star;
    float    green = (float)light[at * 3 + 1] * (1.0f / 4096.0f) + 0.09f + star;
    float    blue = (float)light[at * 3 + 2] * (1.0f / 4096.0f) + 0.16f + star;
    float    most = max(red, max(green, blue));
    image[at * 3] = tone(red, most);
    image[at * 3 + 1] = tone(green, most);
    image[at * 3 + 2] = tone(blue, most);
}
