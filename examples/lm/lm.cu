/* lm.cu - a transformer learns to continue a text, character by character.
 *
 * Two layers of attention and of hidden units, Adam, all in single precision. Every number is the
 * sum of the same terms in the same order on each machine: no thread adds to what another adds to,
 * gradients of weights are summed by the thread that owns the weight. */
#include "config.h"

#define BATCH 16 /* texts a step; the last is for the test and teaches nothing */
#define ROWS (BATCH * CONTEXT)

/* The text's last tenth is never learnt from. */
static __device__ __forceinline__ int learnt(int letters)
{
    return letters - letters / 10;
}

static __device__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* ---- the start ------------------------------------------------------------------------------------ */

/* alphabet[i] is character i's code, in the order in which they first appear. One thread. */
__global__ void spell(unsigned char *alphabet, unsigned char *letters, const unsigned char *text,
                      int size)
{
    int number[256], count = 0;
    for (int i = 0; i < 256; i++) number[i] = -1;
    for (int i = 0; i < size; i++) {
        int code = text[i];
        if (number[code] < 0) {
            assert(count < VOCABULARY);
            alphabet[count] = (unsigned char)code;
            number[code] = count++;
        }
        letters[i] = (unsigned char)number[code];
    }
}

/* Rows and columns of the matrix that weight i is in, and where that begins. */
struct matrix {
    int start;
    int rows;
    int columns;
};
static __device__ matrix matrix_of(int i)
{
    if (i < AT_LAYERS) return {0, VOCABULARY, WIDTH};
    if (i >= AT_GUESS) return {AT_GUESS, WIDTH, VOCABULARY};
    int inside = (i - AT_LAYERS) % LAYER_SIZE, start = i - inside;
    if (inside < AT_MIX) return {start, WIDTH, 3 * WIDTH};
    if (inside < AT_UP) return {start + AT_MIX, WIDTH, WIDTH};
    if (inside < AT_DOWN) return {start + AT_UP, WIDTH, HIDDEN};
    return {start + AT_DOWN, HIDDEN, WIDTH};
}
/* `turned` holds each matrix again with rows and columns exchanged. */
static __device__ void set_weight(float *weights, float *turned, int i, float value)
{
    matrix m = matrix_of(i);
    int    row = (i - m.start) / m.columns, column = (i - m.start) % m.columns;
    weights[i] = value;
    turned[m.start + column * m.rows + row] = value;
}

__global__ void begin(float *weights, float *turned)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= WEIGHTS) return;
    matrix m = matrix_of(i);
    float  chance = (float)(scramble((unsigned)i + 1u) >> 8) * 0x1p-23f - 1.0f;
    float  spread = i < AT_LAYERS ? 0.3f : 1.0f / sqrtf((float)m.rows);
    set_weight(weights, turned, i, chance * spread);
}

/* ---- products of matrices -------------------------------------------------------------------------- */

#define TALL 4  /* a thread makes 4 x 16 numbers of a product, */
#define WIDE 16 /* in registers, or in vectors of a processor */

/* sum[j][k] = the sum over n of left(j, n) right[n * width + k]. Left's element (j, n) stands at
 * j * left_row + n * left_column. */
static __device__ __forceinline__ void product(float (&sum)[TALL][WIDE], const float *left,
                                               int left_row, int left_column, const float *right,
                                               int width, int count)
{
    for (int n = 0; n < count; n++) {
        for (int j = 0; j < TALL; j++) {
            float a = left[j * left_row + n * left_column];
            for (int k = 0; k < WIDE; k++) sum[j][k] = fmaf(a, right[n * width + k], sum[j][k]);
        }
    }
}

enum after { KEEP, ADD, NO_NEGATIVES };

/* out = in x weights: a row for each character of the batch. */
static __device__ __forceinline__ void multiply(float *out, const float *in, const float *weights,
                                                int from, int to, after what)
{
    int   row = (blockIdx.x * blockDim.x + threadIdx.x) * TALL, column = blockIdx.y * WIDE;
    float sum[TALL][WIDE] = {};
    product(sum, in + row * from, from, 1, weights + column, to, from);
    for (int j = 0; j < TALL; j++) {
        float *to_here = out + (row + j) * to + column;
        for (int k = 0; k < WIDE; k++) {
            float value = what == ADD ? to_here[k] + sum[j][k] : sum[j][k];
            to_here[k] = what == NO_NEGATIVES && value < 0.0f ? 0.0f : value;
        }
    }
}

/* gradient = in turned x out_error: how the weights between them should change. */
static __device__ __forceinline__ void multiply_turned(float *gradient, const float *in,
                                                       const float *out_error, int from, int to)
{
    int   row = (blockIdx.x * blockDim.x + threadIdx.x) * TALL, column = blockIdx.y * WIDE;
    float sum[TALL][WIDE] = {};
    if (row >= from) return;
    product(sum, in + row, 1, from, out_error + column, to, ROWS - CONTEXT);
    for (int j = 0; j < TALL; j++) {
        for (int k = 0; k < WIDE; k++) gradient[(row + j) * to + column + k] = sum[j][k];
    }
}

/* ---- forwards ----------------------------------------------------------------------------------------- */

/* The stream is kept as it was before each half of a layer: 2 LAYERS + 1 of them. */
static __device__ __forceinline__ int stage_at(int stage)
{
    return stage * ROWS * WIDTH;
}
static __device__ __forceinline__ int layer_at(int layer)
{
    return AT_LAYERS + layer * LAYER_SIZE;
}

/* Where the text of a row of the batch begins in this step. */
static __device__ int window(int step, int place, int letters)
{
    unsigned lot = scramble((unsigned)(step * BATCH + place) + 7u);
    int      all = learnt(letters);
    if (place < BATCH - 1) return (int)(lot % (unsigned)(all - CONTEXT - 1));
    return all + (int)(lot % (unsigned)(letters - all - CONTEXT - 1));
}

/* A thread an element: the vector of each character of this step's texts. */
__global__ void embed(float *stream, unsigned char *batch, const float *weights,
                      const unsigned char *letters, int count, int step)
{
    int row = blockIdx.x, k = threadIdx.x;
    int at = window(step, row / CONTEXT, count) + row % CONTEXT;
    stream[row * WIDTH + k] = weights[letters[at] * WIDTH + k];
    if (k > 0) return;
    batch[row] = letters[at];
    batch[ROWS + row] = letters[at + 1]; /* what should be guessed */
}

/* Each row divided by its root mean square; the divisor is kept for the way back. */
__global__ void level(float *out, float *scale, const float *stream, int stage)
{
    int          row = blockIdx.x * blockDim.x + threadIdx.x;
    const float *x = stream + stage_at(stage) + row * WIDTH;
    float        square = 0.0f;
    for (int k = 0; k < WIDTH; k++) square = fmaf(x[k], x[k], square);
    float s = 1.0f / sqrtf(square * (1.0f / WIDTH) + 1e-5f);
    for (int k = 0; k < WIDTH; k++) out[stage_at(stage) + row * WIDTH + k] = x[k] * s;
    scale[stage * ROWS + row] = s;
}

__global__ void ask(float *qkv, const float *levelled, const float *weights, int layer)
{
    multiply(qkv + layer * ROWS * 3 * WIDTH, levelled + stage_at(2 * layer),
             weights + layer_at(layer), WIDTH, 3 * WIDTH, KEEP);
}

static __device__ __forceinline__ float dot(const float *a, const float *b)
{
    float sum = 0.0f;
    for (int k = 0; k < HEAD; k++) sum = fmaf(a[k], b[k], sum);
    return sum;
}

/* A thread for a character and a head: looks back at what came before in the same text. */
__global__ void attend(float *mixed, float *share, const float *qkv, int layer)
{
    int          row = blockIdx.x * blockDim.x + threadIdx.x, head = blockIdx.y;
    int          here = row % CONTEXT, first = row - here;
    const float *all = qkv + layer * ROWS * 3 * WIDTH + head * HEAD;
    const float *query = all + row * 3 * WIDTH;
    float       *mine = share + ((layer * HEADS + head) * ROWS + row) * CONTEXT;
    float        most = -1e30f, sum = 0.0f, out[HEAD] = {};
    for (int t = 0; t <= here; t++) {
        float score = dot(query, all + (first + t) * 3 * WIDTH + WIDTH) * rsqrtf(HEAD);
        mine[t] = score - forgetting(head) * (float)(here - t);
        most = fmaxf(most, mine[t]);
    }
    for (int t = 0; t <= here; t++) {
        mine[t] = expf(mine[t] - most);
        sum += mine[t];
    }
    for (int t = 0; t <= here; t++) {
        const float *value = all + (first + t) * 3 * WIDTH + 2 * WIDTH;
        mine[t] /= sum;
        for (int k = 0; k < HEAD; k++) out[k] = fmaf(mine[t], value[k], out[k]);
    }
    for (int k = 0; k < HEAD; k++) {
        mixed[stage_at(layer) + row * WIDTH + head * HEAD + k] = out[k];
    }
}

/* The stream of one stage goes on in the next; what a half of a layer found is added to it. */
__global__ void carry(float *stream, int stage)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    stream[stage_at(stage + 1) + i] = stream[stage_at(stage) + i];
}
__global__ void join(float *stream, const float *mixed, const float *weights, int layer)
{
    multiply(stream + stage_at(2 * layer + 1), mixed + stage_at(layer),
             weights + layer_at(layer) + AT_MIX, WIDTH, WIDTH, ADD);
}
__global__ void widen(float *hidden, const float *levelled, const float *weights, int layer)
{
    multiply(hidden + layer * ROWS * HIDDEN, levelled + stage_at(2 * layer + 1),
             weights + layer_at(layer) + AT_UP, WIDTH, HIDDEN, NO_NEGATIVES);
}
__global__ void narrow(float *stream, const float *hidden, const float *weights, int layer)
{
    multiply(stream + stage_at(2 * layer + 2), hidden + layer * ROWS * HIDDEN,
             weights + layer_at(layer) + AT_DOWN, HIDDEN, WIDTH, ADD);
}
__global__ void guess(float *chances, const float *levelled, const float *weights)
{
    multiply(chances, levelled + stage_at(2 * LAYERS), weights + AT_GUESS, WIDTH, VOCABULARY, KEEP);
}

/* ---- backwards: the same steps in reverse, errors in place of values --------------------------------- */

/* A thread a row: its surprise, and the error of its guess in place of the guess. */
__global__ void judge(float *chances, float *surprise, const unsigned char *batch)
{
    int    row = blockIdx.x * blockDim.x + threadIdx.x, wanted = batch[ROWS + row];
    float *mine = chances + row * VOCABULARY;
    float  most = mine[0], sum = 0.0f;
    for (int v = 1; v < VOCABULARY; v++) most = fmaxf(most, mine[v]);
    surprise[row] = most - mine[wanted];
    for (int v = 0; v < VOCABULARY; v++) {
        mine[v] = expf(mine[v] - most);
        sum += mine[v];
    }
    surprise[row] += logf(sum);
    float part = row < ROWS - CONTEXT ? 1.0f / (ROWS - CONTEXT) : 0.0f;
    for (int v = 0; v < VOCABULARY; v++) {
        mine[v] = (mine[v] / sum - (v == wanted ? 1.0f : 0.0f)) * part;
    }
}

__global__ void guess_back(float *error, const float *chances, const float *turned)
{
    multiply(error, chances, turned + AT_GUESS, VOCABULARY, WIDTH, KEEP);
}
__global__ void guess_learn(float *gradient, const float *levelled, const float *chances)
{
    multiply_turned(gradient + AT_GUESS, levelled + stage_at(2 * LAYERS), chances, WIDTH,
                    VOCABULARY);
}

/* The error of a levelled row, added to the stream's; `first` starts the stream's. */
__global__ void level_back(float *stream_error, const float *error, const float *levelled,
                           const float *scale, int stage, int first)
{
    int          row = blockIdx.x * blockDim.x + threadIdx.x;
    const float *y = levelled + stage_at(stage) + row * WIDTH, *e = error + row * WIDTH;
    float        s = scale[stage * ROWS + row], along = 0.0f;
    for (int k = 0; k < WIDTH; k++) along = fmaf(y[k], e[k], along);
    along *= 1.0f / WIDTH;
    for (int k = 0; k < WIDTH; k++) {
        float before = first ? 0.0f : stream_error[row * WIDTH + k];
        stream_error[row * WIDTH + k] = before + (e[k] - y[k] * along) * s;
    }
}

__global__ void narrow_back(float *hidden_error, const float *stream_error, const float *turned,
                            int layer)
{
    multiply(hidden_error, stream_error, turned + layer_at(layer) + AT_DOWN, WIDTH, HIDDEN, KEEP);
}
__global__ void narrow_learn(float *gradient, const float *hidden, const float *stream_error,
                             int layer)
{
    multiply_turned(gradient + layer_at(layer) + AT_DOWN, hidden + layer * ROWS * HIDDEN,
                    stream_error, HIDDEN, WIDTH);
}
__global__ void hush(float *hidden_error, const float *hidden, int layer)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (hidden[layer * ROWS * HIDDEN + i] <= 0.0f) hidden_error[i] = 0.0f;
}
__global__ void widen_back(float *error, const float *hidden_error, const float *turned, int layer)
{
    multiply(error, hidden_error, turned + layer_at(layer) + AT_UP, HIDDEN, WIDTH, KEEP);
}
__global__ void widen_learn(float *gradient, const float *levelled, const float *hidden_error,
                            int layer)
{
    multiply_turned(gradient + layer_at(layer) + AT_UP, levelled + stage_at(2 * layer + 1),
                    hidden_error, WIDTH, HIDDEN);
}
__global__ void join_back(float *error, const float *stream_error, const float *turned, int layer)
{
    multiply(error, stream_error, turned + layer_at(layer) + AT_MIX, WIDTH, WIDTH, KEEP);
}
__global__ void join_learn(float *gradient, const float *mixed, const float *stream_error,
                           int layer)
{
    multiply_turned(gradient + layer_at(layer) + AT_MIX, mixed + stage_at(layer), stream_error,
                    WIDTH, WIDTH);
}

/* A thread for a character and a head: the errors of its scores, and of its query. */
__global__ void attend_back(float *qkv_error, float *score_error, const float *error,
                            const float *share, const float *qkv, int layer)
{
    int          row = blockIdx.x * blockDim.x + threadIdx.x, head = blockIdx.y;
    int          here = row % CONTEXT, first = row - here;
    const float *all = qkv + layer * ROWS * 3 * WIDTH + head * HEAD;
    const float *e = error + row * WIDTH + head * HEAD;
    const float *mine = share + ((layer * HEADS + head) * ROWS + row) * CONTEXT;
    float       *score = score_error + (head * ROWS + row) * CONTEXT;
    float        mean = 0.0f, query[HEAD] = {};
    for (int t = 0; t <= here; t++) {
        score[t] = dot(e, all + (first + t) * 3 * WIDTH + 2 * WIDTH);
        mean = fmaf(score[t], mine[t], mean);
    }
    for (int t = 0; t <= here; t++) {
        const float *key = all + (first + t) * 3 * WIDTH + WIDTH;
        score[t] = (score[t] - mean) * mine[t] * rsqrtf(HEAD);
        for (int k = 0; k < HEAD; k++) query[k] = fmaf(score[t], key[k], query[k]);
    }
    for (int k = 0; k < HEAD; k++) qkv_error[row * 3 * WIDTH + head * HEAD + k] = query[k];
}
/* The same seen from the character that was looked at: the errors of its key and its value. */
__global__ void seen_back(float *qkv_error, const float *score_error, const float *error,
                          const float *share, const float *qkv, int layer)
{
    int          row = blockIdx.x * blockDim.x + threadIdx.x, head = blockIdx.y;
    int          here = row % CONTEXT;
    const float *queries = qkv + layer * ROWS * 3 * WIDTH + head * HEAD;
    const float *shares = share + (layer * HEADS + head) * ROWS * CONTEXT;
    float        key[HEAD] = {}, value[HEAD] = {};
    for (int t = row; t < row - here + CONTEXT; t++) {
        float score = score_error[(head * ROWS + t) * CONTEXT + here];
        float part = shares[t * CONTEXT + here];
        for (int k = 0; k < HEAD; k++) key[k] = fmaf(score, queries[t * 3 * WIDTH + k], key[k]);
        for (int k = 0; k < HEAD; k++) {
            value[k] = fmaf(part, error[t * WIDTH + head * HEAD + k], value[k]);
        }
    }
    for (int k = 0; k < HEAD; k++) {
        qkv_error[row * 3 * WIDTH + WIDTH + head * HEAD + k] = key[k];
        qkv_error[row * 3 * WIDTH + 2 * WIDTH + head * HEAD + k] = value[k];
    }
}

__global__ void ask_back(float *error, const float *qkv_error, const float *turned, int layer)
{
    multiply(error, qkv_error, turned + layer_at(layer), 3 * WIDTH, WIDTH, KEEP);
}
__global__ void ask_learn(float *gradient, const float *levelled, const float *qkv_error, int layer)
{
    multiply_turned(gradient + layer_at(layer), levelled + stage_at(2 * layer), qkv_error, WIDTH,
                    3 * WIDTH);
}
/* A block a character of the alphabet: all its appearances in the batch, in order. */
__global__ void embed_learn(float *gradient, const float *stream_error, const unsigned char *batch)
{
    int   k = threadIdx.x;
    float sum = 0.0f;
    for (int row = 0; row < ROWS - CONTEXT; row++) {
        if (batch[row] == blockIdx.x) sum += stream_error[row * WIDTH + k];
    }
    gradient[blockIdx.x * WIDTH + k] = sum;
}

/* ---- a step ------------------------------------------------------------------------------------------- */

/* Adam (Kingma and Ba 2014), a thread a weight. The means start at zero and are not corrected for
 * it: the rate rises slowly in the first steps instead, and falls to zero at the last. */
__global__ void update(float *weights, float *turned, float *mean, float *square,
                       const float *gradient, float rate, int step, int steps)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= WEIGHTS) return;
    float rise = step < 40 ? (float)(step + 1) / 40.0f : 1.0f;
    float fall = (float)(steps - step) / (float)steps;
    mean[i] = 0.9f * mean[i] + 0.1f * gradient[i];
    square[i] = 0.99f * square[i] + 0.01f * gradient[i] * gradient[i];
    float change = rate * rise * fall * mean[i] / (sqrtf(square[i]) + 1e-8f);
    set_weight(weights, turned, i, weights[i] - change);
}

static __device__ char *put(char *at, const char *text)
{
    while (*text != 0) *at++ = *text++;
    return at;
}
static __device__ char *put_number(char *at, int value, int width)
{
    for (int unit = 100000; unit > 0; unit /= 10, width--) {
        if (value >= unit || unit == 1) *at++ = (char)('0' + value / unit % 10);
        else if (width <= 6 && unit < 100000) *at++ = ' ';
    }
    return at;
}
static __device__ char *put_thousandths(char *at, double value)
{
    int all = (int)(value * 1000.0 + 0.5);
    *at++ = (char)('0' + all / 1000 % 10);
    *at++ = '.';
    for (int unit = 100; unit > 0; unit /= 10) *at++ = (char)('0' + all / unit % 10);
    return at;
}

/* Sums up the surprise of every step, and says each `every` steps what it was. One thread. */
__global__ void report(char *text, double *sums, const float *surprise, int step, int every)
{
    for (int row = 0; row < ROWS; row++) {
        int part = row < ROWS - CONTEXT ? 0 : 1;
        sums[part] += (double)surprise[row];
    }
    if ((step + 1) % every != 0) return;
    char *at = text;
    while (*at != 0) at++;
    at = put_number(put(at, "step "), step + 1, 5);
    at = put(at, "   surprise a character: ");
    at = put_thousandths(at, sums[0] / ((double)every * (ROWS - CONTEXT)));
    at = put(at, " learnt, ");
    at = put_thousandths(at, sums[1] / ((double)every * CONTEXT));
    put(at, " in text never seen\n");
    sums[0] = sums[1] = 0.0;
}
