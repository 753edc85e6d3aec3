#include "compute/runner/cuda_driver.h"

static const struct library_symbol SYMBOLS[] = {
#define X(field, symbol, arguments) {symbol, offsetof(struct cuda_driver, field)},
    CUDA_FUNCTIONS(X)
#undef X
};

static const char *const PATHS[] = {"libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1",
                                    "/usr/local/nvidia/lib64/libcuda.so.1", NULL};

static const struct library DRIVER = {.what = "NVIDIA's driver",
                                      .install = "install NVIDIA's driver (Debian: nvidia-driver)",
                                      .paths = PATHS,
                                      .symbols = SYMBOLS,
                                      .symbol_count = sizeof SYMBOLS / sizeof *SYMBOLS};

enum status cuda_driver_open(struct cuda_driver *out, char error[LIBRARY_ERROR_SIZE])
{
    return library_open(out, error, &DRIVER, NULL);
}

const char *cuda_error_text(const struct cuda_driver *d, int result)
{
    const char *name = NULL;
    if (d->error_name(result, &name) != 0 || name == NULL) return "an error without a name";
    return name;
}
