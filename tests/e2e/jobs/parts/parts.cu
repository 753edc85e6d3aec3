__global__ void k(int *out, int part, int rows)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < rows) out[i] = (part * rows + i) * 3;
}
