/* The 16 x 16 tiled product of square matrices, as every introduction to CUDA has it. */
#define TILE 16

__global__ void fill(float *matrix, int n, float scale)
{
    int x = blockIdx.x * TILE + threadIdx.x;
    int y = blockIdx.y * TILE + threadIdx.y;
    matrix[y * n + x] = (float)((x * 7 + y * 13) % 31 - 15) * scale;
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
