// Tries to open a socket. It ends with the reason network-access, on every machine alike.
extern "C" int socket(int, int, int);

extern "C" __global__ void phone_home(unsigned *out)
{
    out[0] = (unsigned)socket(2, 1, 0);
}
