/* sample.cu - a trained transformer continues a text, one character after the other.
 *
 * A block writes one text; its threads share the work of a character, one number of a vector each,
 * and wait for each other between the steps. The keys and values of the last CONTEXT characters are
 * kept, so that only the newest goes through the layers. Chance is integer arithmetic. */
#include "config.h"

#define LENGTH 1024 /* bytes of a text, with the zeros behind it */

static __device__ unsigned scramble(unsigned x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* What the model remembers of a text. */
struct memory {
    float key[LAYERS][CONTEXT][WIDTH];
    float value[LAYERS][CONTEXT][WIDTH];
};

/* What the threads of a block share. */
struct desk {
    float stream[WIDTH];
    float level[WIDTH];
    float query[WIDTH];
    float mixed[WIDTH];
    float score[HEADS][CONTEXT];
    float hidden[HIDDEN];
    float chance[VOCABULARY];
    int   letter;
};

/* Number `column` of in x matrix. */
static __device__ __forceinline__ float product(const float *in, const float *matrix, int from,
                                                int to, int column)
{
    float sum = 0.0f;
    for (int n = 0; n < from; n++) sum = fmaf(in[n], matrix[n * to + column], sum);
    return sum;
}

static __device__ void level(desk &d, int k)
{
    float square = 0.0f;
    __syncthreads();
    for (int n = 0; n < WIDTH; n++) square = fmaf(d.stream[n], d.stream[n], square);
    d.level[k] = d.stream[k] * (1.0f / sqrtf(square * (1.0f / WIDTH) + 1e-5f));
    __syncthreads();
}

/* Thread k scores places k, k + WIDTH, ... for each head; slot = place % CONTEXT. */
static __device__ void score(desk &d, const float (*key)[WIDTH], int place, int k)
{
    for (int i = k; i < HEADS * CONTEXT; i += WIDTH) {
        int   head = i / CONTEXT, slot = i % CONTEXT;
        int   back = (place - slot + CONTEXT) % CONTEXT;
        float sum = 0.0f;
        for (int n = head * HEAD; n < (head + 1) * HEAD; n++) {
            sum = fmaf(d.query[n], key[slot][n], sum);
        }
        d.score[head][slot] = back > place ? -1e30f /* before the text */
                                           : sum * rsqrtf(HEAD) - forgetting(head) * (float)back;
    }
}

static __device__ void attend(desk &d, memory &m, const float *weights, int layer, int place, int k)
{
    float most = -1e30f, sum = 0.0f, out = 0.0f;
    int   slot = place % CONTEXT, head = k / HEAD;
    level(d, k);
    d.query[k] = product(d.level, weights, WIDTH, 3 * WIDTH, k);
    m.key[layer][slot][k] = product(d.level, weights, WIDTH, 3 * WIDTH, WIDTH + k);
    m.value[layer][slot][k] = product(d.level, weights, WIDTH, 3 * WIDTH, 2 * WIDTH + k);
    __syncthreads();
    score(d, m.key[layer], place, k);
    __syncthreads();
    for (int t = 0; t < CONTEXT; t++) most = fmaxf(most, d.score[head][t]);
    for (int t = 0; t < CONTEXT; t++) {
        float share = expf(d.score[head][t] - most);
        sum += share;
        out = fmaf(share, m.value[layer][t][k], out);
    }
    d.mixed[k] = out / sum;
    __syncthreads();
    d.stream[k] += product(d.mixed, weights + AT_MIX, WIDTH, WIDTH, k);
}

static __device__ void think(desk &d, const float *weights, int k)
{
    level(d, k);
    for (int i = k; i < HIDDEN; i += WIDTH) {
        float sum = product(d.level, weights + AT_UP, WIDTH, HIDDEN, i);
        d.hidden[i] = sum < 0.0f ? 0.0f : sum;
    }
    __syncthreads();
    d.stream[k] += product(d.hidden, weights + AT_DOWN, HIDDEN, WIDTH, k);
}

/* Draws by lot, the chances sharpened by 1 / temperature. Thread 0 alone. */
static __device__ int draw(const float *score, int letters, float temperature, unsigned lot)
{
    float chance[VOCABULARY], most = score[0], sum = 0.0f;
    int   v = 0;
    for (int i = 1; i < letters; i++) most = fmaxf(most, score[i]);
    for (int i = 0; i < letters; i++) {
        chance[i] = expf((score[i] - most) / temperature);
        sum += chance[i];
    }
    sum *= (float)(lot >> 8) * 0x1p-24f;
    while (v < letters - 1 && sum >= chance[v]) sum -= chance[v++];
    return v;
}

static __device__ int letter_of(const unsigned char *alphabet, int letters, unsigned char code)
{
    for (int i = 0; i < letters; i++) {
        if (alphabet[i] == code) return i;
    }
    return 0;
}

/* Text b begins with `prompt`, which fills `given` characters, and has `count` in all. */
__global__ void write(char *text, memory *memories, const float *weights,
                      const unsigned char *alphabet, const char *prompt, int given, int count,
                      float temperature, int seed)
{
    __shared__ desk d;
    int     k = threadIdx.x, letters = 0;
    memory &m = memories[blockIdx.x];
    char   *out = text + blockIdx.x * LENGTH;
    while (letters < VOCABULARY && alphabet[letters] != 0) letters++;
    for (int place = 0; place < count; place++) {
        if (k == 0 && place < given) {
            d.letter = letter_of(alphabet, letters, (unsigned char)prompt[place]);
        } else if (k == 0) {
            unsigned lot = scramble((unsigned)(seed * 64 + (int)blockIdx.x) * 65536u + place);
            d.letter = draw(d.chance, letters, temperature, lot);
        }
        __syncthreads();
        if (k == 0) out[place] = (char)alphabet[d.letter];
        d.stream[k] = weights[d.letter * WIDTH + k];
        for (int layer = 0; layer < LAYERS; layer++) {
            const float *here = weights + AT_LAYERS + layer * LAYER_SIZE;
            attend(d, m, here, layer, place, k);
            think(d, here, k);
        }
        level(d, k);
        if (k < VOCABULARY) d.chance[k] = product(d.level, weights + AT_GUESS, WIDTH, VOCABULARY, k);
        __syncthreads();
    }
}

/* All texts in one, with a line between them. One thread. */
__global__ void collect(char *all, const char *text, int texts)
{
    int at = 0;
    for (int b = 0; b < texts; b++) {
        for (int i = 0; i < LENGTH && text[b * LENGTH + i] != 0; i++) {
            all[at++] = text[b * LENGTH + i];
        }
        for (int i = 0; i < (b < texts - 1 ? 5 : 1); i++) all[at++] = "\n---\n"[i];
    }
}
