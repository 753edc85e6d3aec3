/* All pairs of bodies, in tiles through shared memory; each thread keeps LANES sums side by side. */
#define TILE  256
#define LANES 1

__global__ void begin(float4 *place)
{
    unsigned i = blockIdx.x * TILE + threadIdx.x;
    unsigned x = i * 2654435761u, y = x * 2246822519u, z = y * 3266489917u;
    place[i] = make_float4((float)(x >> 8) * 0x1p-24f, (float)(y >> 8) * 0x1p-24f,
                           (float)(z >> 8) * 0x1p-24f, 1.0f);
}

__global__ void pull(float4 *force, const float4 *place, int count)
{
    __shared__ float4 tile[TILE];
    int    i = blockIdx.x * TILE + threadIdx.x;
    float4 me = place[i];
    float  ax[LANES] = {}, ay[LANES] = {}, az[LANES] = {};
    for (int first = 0; first < count; first += TILE) {
        tile[threadIdx.x] = place[first + threadIdx.x];
        __syncthreads();
        for (int j = 0; j < TILE; j += LANES) {
            for (int k = 0; k < LANES; k++) {
                float4 other = tile[j + k];
                float  dx = other.x - me.x, dy = other.y - me.y, dz = other.z - me.z;
                float  square = dx * dx + dy * dy + dz * dz + 0.001f;
                float  pull = other.w / (square * sqrtf(square));
                ax[k] += dx * pull;
                ay[k] += dy * pull;
                az[k] += dz * pull;
            }
        }
        __syncthreads();
    }
    for (int k = 1; k < LANES; k++) {
        ax[0] += ax[k];
        ay[0] += ay[k];
        az[0] += az[k];
    }
    force[i] = make_float4(ax[0], ay[0], az[0], 0.0f);
}
