// Keeps a core busy for a second or two with arithmetic that nothing can shorten.
extern "C" __global__ void spin(unsigned *out, unsigned rounds)
{
    unsigned index = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned x = index * 2654435761u + 1u;
    unsigned mine = rounds / blockDim.x * 2;
    for (unsigned i = 0; i < mine; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
    }
    out[index] = x;
}
