/* digits.cu - a neural network learns to read handwritten digits.
 *
 * 784 pixels, 128 hidden units with tanh, 10 outputs with softmax. A step takes 50 pictures, each
 * shifted by chance: `learn` runs forwards and backwards, a block for each picture; `update` adds up
 * the gradients of all 50 in a fixed order, a thread for each weight. `examine` counts right answers
 * with integers. So the whole training gives the same bits wherever it runs. */

#define SIDE 28
#define PIXELS (SIDE * SIDE)
#define HIDDEN 128
#define DIGITS 10
#define BATCH 50
#define IMAGES 3000
#define TRAINING 2500
#define TESTS (IMAGES - TRAINING)

/* Weights lie in one array: those of the hidden layer, its biases, those of the outputs, their
 * biases. Hidden weights are stored pixel by pixel, so that neighbouring threads read neighbours. */
#define HIDDEN_BIAS (PIXELS * HIDDEN)
#define OUTPUT_WEIGHT (HIDDEN_BIAS + HIDDEN)
#define OUTPUT_BIAS (OUTPUT_WEIGHT + HIDDEN * DIGITS)
#define WEIGHTS (OUTPUT_BIAS + DIGITS)

struct picture { /* what `learn` leaves for `update` */
    float pixel[PIXELS];
    float hidden[HIDDEN];
    float hidden_error[HIDDEN];
    float output_error[DIGITS];
};

static __device__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

__global__ void begin(float *weight)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= WEIGHTS) return;
    bool  bias = (i >= HIDDEN_BIAS && i < OUTPUT_WEIGHT) || i >= OUTPUT_BIAS;
    float chance = (float)(scramble((unsigned)i + 1u) >> 8) * 0x1p-23f - 1.0f;
    weight[i] = bias ? 0.0f : chance * (i < HIDDEN_BIAS ? 0.06f : 0.15f);
}

/* ---- pictures -------------------------------------------------------------------------------------- */

/* Brightness from 0 to 3 of a pixel of picture `which`, two bits each; 0 outside. */
static __device__ int ink(const unsigned char *image, int which, int x, int y)
{
    int at = y * SIDE + x;
    if (x < 0 || y < 0 || x >= SIDE || y >= SIDE) return 0;
    return image[which * (PIXELS / 4) + at / 4] >> 2 * (at % 4) & 3;
}
/* All threads of the block together. */
static __device__ void load(float *pixel, const unsigned char *image, int which, int right,
                            int down)
{
    for (int i = threadIdx.x; i < PIXELS; i += HIDDEN) {
        pixel[i] = (float)ink(image, which, i % SIDE - right, i / SIDE - down) * (1.0f / 3.0f);
    }
    __syncthreads();
}

/* ---- forwards ------------------------------------------------------------------------------------- */

static __device__ float hidden_of(const float *weight, const float *pixel, int unit)
{
    float sum = weight[HIDDEN_BIAS + unit];
    for (int k = 0; k < PIXELS; k++) sum += pixel[k] * weight[k * HIDDEN + unit];
    return tanhf(sum);
}
static __device__ float output_of(const float *weight, const float *hidden, int digit)
{
    float sum = weight[OUTPUT_BIAS + digit];
    for (int k = 0; k < HIDDEN; k++) sum += hidden[k] * weight[OUTPUT_WEIGHT + k * DIGITS + digit];
    return sum;
}

/* ---- learning --------------------------------------------------------------------------------------- */

/* The picture at `place` of an epoch: each epoch goes through all of them in another order. */
static __device__ int drawn(int epoch, int place)
{
    unsigned stride = 2u * (scramble((unsigned)epoch) % 500u) + 1u;
    while (stride % 5u == 0u) stride += 2u; /* no divisor in common with TRAINING */
    return (int)(((unsigned)place * stride + scramble((unsigned)epoch + 99u) % 1000u) % TRAINING);
}

/* A block a picture, a thread a hidden unit. */
__global__ void learn(picture *batch, const float *weight, const unsigned char *image,
                      const unsigned char *label, int step, int steps_before)
{
    __shared__ float pixel[PIXELS], hidden[HIDDEN], output[DIGITS];
    int      unit = threadIdx.x;
    int      place = (steps_before + step) * BATCH + blockIdx.x;
    int      which = drawn(place / TRAINING, place % TRAINING);
    unsigned lot = scramble((unsigned)place + 1998u) >> 8; /* moves the picture by up to 2 pixels */
    picture *mine = &batch[blockIdx.x];
    load(pixel, image, which, (int)(lot % 5u) - 2, (int)(lot / 5u % 5u) - 2);
    hidden[unit] = hidden_of(weight, pixel, unit);
    __syncthreads();
    if (unit < DIGITS) output[unit] = output_of(weight, hidden, unit);
    __syncthreads();
    float most = output[0], sum = 0.0f, error = 0.0f;
    for (int d = 1; d < DIGITS; d++) most = fmaxf(most, output[d]);
    for (int d = 0; d < DIGITS; d++) sum += expf(output[d] - most);
    for (int d = 0; d < DIGITS; d++) {
        float wrong = expf(output[d] - most) / sum - (label[which] == d ? 1.0f : 0.0f);
        error += wrong * weight[OUTPUT_WEIGHT + unit * DIGITS + d];
        if (unit == d) mine->output_error[d] = wrong;
    }
    for (int i = unit; i < PIXELS; i += HIDDEN) mine->pixel[i] = pixel[i];
    mine->hidden[unit] = hidden[unit];
    mine->hidden_error[unit] = error * (1.0f - hidden[unit] * hidden[unit]);
}

static __device__ float gradient_of(const picture *p, int i)
{
    if (i < HIDDEN_BIAS) return p->pixel[i / HIDDEN] * p->hidden_error[i % HIDDEN];
    if (i < OUTPUT_WEIGHT) return p->hidden_error[i - HIDDEN_BIAS];
    i -= OUTPUT_WEIGHT;
    if (i < HIDDEN * DIGITS) return p->hidden[i / DIGITS] * p->output_error[i % DIGITS];
    return p->output_error[i - HIDDEN * DIGITS];
}

/* A thread a weight: the batch's mean gradient, with momentum, and a little decay. */
__global__ void update(float *weight, float *speed, const picture *batch, float rate)
{
    int   i = blockIdx.x * blockDim.x + threadIdx.x;
    float gradient = 0.0f;
    if (i >= WEIGHTS) return;
    for (int b = 0; b < BATCH; b++) gradient += gradient_of(&batch[b], i);
    speed[i] = 0.9f * speed[i] - rate * (gradient * (1.0f / BATCH) + 2e-4f * weight[i]);
    weight[i] += speed[i];
}

/* ---- the test --------------------------------------------------------------------------------------- */

/* A block a picture; `right` has a counter for the pictures of training and one for the others. */
__global__ void examine(int *right, unsigned char *answer, const float *weight,
                        const unsigned char *image, const unsigned char *label)
{
    __shared__ float pixel[PIXELS], hidden[HIDDEN], output[DIGITS];
    int unit = threadIdx.x, which = blockIdx.x, best = 0;
    load(pixel, image, which, 0, 0);
    hidden[unit] = hidden_of(weight, pixel, unit);
    __syncthreads();
    if (unit < DIGITS) output[unit] = output_of(weight, hidden, unit);
    __syncthreads();
    if (unit != 0) return;
    for (int d = 1; d < DIGITS; d++) best = output[d] > output[best] ? d : best;
    answer[which] = (unsigned char)best;
    if (best == label[which]) atomicAdd(&right[which < TRAINING ? 0 : 1], 1);
}

static __device__ int put(char *text, int at, const char *what)
{
    while (*what != 0) text[at++] = *what++;
    return at;
}
static __device__ int put_number(char *text, int at, int value)
{
    int unit = 1;
    while (value / unit >= 10) unit *= 10;
    for (; unit > 0; unit /= 10) text[at++] = (char)('0' + value / unit % 10);
    return at;
}
static __device__ int put_share(char *text, int at, int part, int whole)
{
    int tenths = (part * 1000 + whole / 2) / whole;
    at = put_number(text, at, tenths / 10);
    at = put(text, at, ".");
    at = put_number(text, at, tenths % 10);
    return put(text, at, " %");
}

/* Adds a line, and clears the counters for the next test. The text ends at its first zero. */
__global__ void report(char *text, int *right, int epochs)
{
    int at = 0;
    while (text[at] != 0) at++;
    at = put(text, at, "after ");
    at = put_number(text, at, epochs);
    at = put(text, at, epochs == 1 ? " epoch:   " : epochs < 10 ? " epochs:  " : " epochs: ");
    at = put(text, at, "training accuracy ");
    at = put_share(text, at, right[0], TRAINING);
    at = put(text, at, ", test accuracy ");
    at = put_share(text, at, right[1], TESTS);
    put(text, at, "\n");
    right[0] = right[1] = 0;
}

/* The 500 pictures of the test, 25 in a row; what was misread is red. */
__global__ void show(unsigned char *picture, const unsigned char *image,
                     const unsigned char *label, const unsigned char *answer)
{
    int            which = TRAINING + blockIdx.x, x = threadIdx.x, y = threadIdx.y;
    int            column = blockIdx.x % 25, row = blockIdx.x / 25, wide = 25 * (SIDE + 2);
    bool           wrong = label[which] != answer[which];
    int            bright = ink(image, which, x - 1, y - 1) * 85;
    unsigned char *at = picture + ((row * (SIDE + 2) + y) * wide + column * (SIDE + 2) + x) * 3;
    at[0] = (unsigned char)(wrong ? max(bright, 150) : bright);
    at[1] = at[2] = (unsigned char)bright;
}
