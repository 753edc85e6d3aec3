// Never ends by itself. The time limit ends it.
extern "C" __global__ void forever(volatile unsigned *out)
{
    for (;;) out[0]++;
}
