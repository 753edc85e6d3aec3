/* config.h - the size of the model. lm-sample has the same file.
 *
 * Whoever changes a number here changes sizes in job.json too: its README says which. */
#define VOCABULARY 64 /* at most so many different characters */
#define CONTEXT 64    /* characters that the model sees */
#define WIDTH 64
#define HEADS 4
#define HIDDEN 256
#define LAYERS 2

#define HEAD (WIDTH / HEADS)

/* Weights lie in one array, all matrices with a row for each input: the characters' vectors; for
 * each layer queries, keys and values, then what attention gives back, then up and down of the
 * hidden layer; last the matrix that makes chances of vectors. */
#define AT_LAYERS (VOCABULARY * WIDTH)
#define AT_MIX (WIDTH * 3 * WIDTH)
#define AT_UP (AT_MIX + WIDTH * WIDTH)
#define AT_DOWN (AT_UP + WIDTH * HIDDEN)
#define LAYER_SIZE (AT_DOWN + HIDDEN * WIDTH)
#define AT_GUESS (AT_LAYERS + LAYERS * LAYER_SIZE)
#define WEIGHTS (AT_GUESS + WIDTH * VOCABULARY)

/* Head h forgets by 2^-(h+1) a character: so it needs no table of places (Press and others 2021,
 * ALiBi), and a text may be longer than what the model was trained on. */
static __device__ __forceinline__ float forgetting(int head)
{
    return 1.0f / (float)(2 << (2 * head));
}
