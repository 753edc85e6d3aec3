// Trains a small neural network (144 - 48 - 10, tanh, softmax) on pictures of digits by stochastic
// gradient descent with momentum, and says how many of 256 pictures that it never saw it reads
// right. One block does a step: its threads share a batch, and every sum has a fixed order.

#define PIXELS 144
#define HIDDEN 48
#define DIGITS 10
#define BATCH 32
#define TRAIN 1024
#define TEST 256
#define RECORD (PIXELS + 1)
#define WEIGHTS1 (HIDDEN * (PIXELS + 1))
#define WEIGHTS2 (DIGITS * (HIDDEN + 1))
#define WEIGHTS (WEIGHTS1 + WEIGHTS2)

__device__ unsigned hash(unsigned x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ x >> 16;
}

__global__ void set_up(float *weights)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= WEIGHTS) return;
    float u = (float)(hash(i + 1u) >> 8) * (1.0f / 16777216.0f) - 0.5f;
    weights[i] = u * (i < WEIGHTS1 ? 0.25f : 0.5f);
}

__device__ float pixel(const unsigned char *record, int i)
{
    return (float)record[i] * (1.0f / 255.0f);
}

__device__ float hidden_unit(const float *weights, const unsigned char *record, int unit)
{
    const float *w = weights + unit * (PIXELS + 1);
    float        sum = w[PIXELS];
    for (int i = 0; i < PIXELS; i++) sum += w[i] * pixel(record, i);
    return tanhf(sum);
}

__device__ float output_unit(const float *weights, const float *hidden, int digit)
{
    const float *w = weights + WEIGHTS1 + digit * (HIDDEN + 1);
    float        sum = w[HIDDEN];
    for (int h = 0; h < HIDDEN; h++) sum += w[h] * hidden[h];
    return sum;
}

// 256 threads; `index` is the number of the step.
__global__ void train(const unsigned char *data, float *weights, float *momentum, int index)
{
    __shared__ float hidden[BATCH][HIDDEN];
    __shared__ float wrong[BATCH][DIGITS];  // d loss / d output
    __shared__ float blame[BATCH][HIDDEN];  // d loss / d hidden sum
    __shared__ int   chosen[BATCH];
    int t = threadIdx.x;
    if (t < BATCH) chosen[t] = (int)(hash(index * BATCH + t + 77u) % TRAIN);
    __syncthreads();
    for (int i = t; i < BATCH * HIDDEN; i += 256) {
        const unsigned char *record = data + chosen[i / HIDDEN] * RECORD;
        hidden[i / HIDDEN][i % HIDDEN] = hidden_unit(weights, record, i % HIDDEN);
    }
    __syncthreads();
    for (int i = t; i < BATCH * DIGITS; i += 256) {
        wrong[i / DIGITS][i % DIGITS] = output_unit(weights, hidden[i / DIGITS], i % DIGITS);
    }
    __syncthreads();
    if (t < BATCH) {
        float most = wrong[t][0], sum = 0.0f;
        for (int d = 1; d < DIGITS; d++) most = fmaxf(most, wrong[t][d]);
        for (int d = 0; d < DIGITS; d++) {
            wrong[t][d] = expf(wrong[t][d] - most);
            sum += wrong[t][d];
        }
        int digit = data[chosen[t] * RECORD + PIXELS];
        for (int d = 0; d < DIGITS; d++) {
            wrong[t][d] = wrong[t][d] / sum - (d == digit ? 1.0f : 0.0f);
        }
    }
    __syncthreads();
    for (int i = t; i < BATCH * HIDDEN; i += 256) {
        int   b = i / HIDDEN, h = i % HIDDEN;
        float sum = 0.0f;
        for (int d = 0; d < DIGITS; d++) {
            sum += wrong[b][d] * weights[WEIGHTS1 + d * (HIDDEN + 1) + h];
        }
        blame[b][h] = sum * (1.0f - hidden[b][h] * hidden[b][h]);
    }
    __syncthreads();
    float rate = 0.05f / (1.0f + 0.0015f * (float)index);
    for (int i = t; i < WEIGHTS; i += 256) {
        float slope = 0.0f;
        for (int b = 0; b < BATCH; b++) {
            if (i < WEIGHTS1) {
                int unit = i / (PIXELS + 1), from = i % (PIXELS + 1);
                float in = from == PIXELS ? 1.0f : pixel(data + chosen[b] * RECORD, from);
                slope += blame[b][unit] * in;
            } else {
                int digit = (i - WEIGHTS1) / (HIDDEN + 1), from = (i - WEIGHTS1) % (HIDDEN + 1);
                slope += wrong[b][digit] * (from == HIDDEN ? 1.0f : hidden[b][from]);
            }
        }
        momentum[i] = 0.9f * momentum[i] - rate * (slope * (1.0f / BATCH));
        weights[i] += momentum[i];
    }
}

// One block of TEST threads, a picture each.
__global__ void judge(const unsigned char *data, const float *weights, char *report)
{
    const unsigned char *record = data + (TRAIN + threadIdx.x) * RECORD;
    float hidden[HIDDEN];
    int   best = 0;
    float best_output = -1.0e30f;
    for (int h = 0; h < HIDDEN; h++) hidden[h] = hidden_unit(weights, record, h);
    for (int d = 0; d < DIGITS; d++) {
        float output = output_unit(weights, hidden, d);
        if (output > best_output) {
            best_output = output;
            best = d;
        }
    }
    int right = __syncthreads_count(best == record[PIXELS]);
    if (threadIdx.x != 0) return;
    const char *words = "accuracy: ### of 256 pictures that it never saw\n";
    for (int i = 0; words[i] != 0; i++) report[i] = words[i];
    report[10] = (char)(right < 100 ? ' ' : '0' + right / 100);
    report[11] = (char)('0' + right / 10 % 10);
    report[12] = (char)('0' + right % 10);
}
