#include "net/frame_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static void put_frame(struct buffer *out, uint8_t type, size_t size, uint8_t fill)
{
    uint8_t head[FRAME_HEAD_SIZE];
    store_be32(head, (uint32_t)(1 + size));
    head[4] = type;
    buffer_append(out, bytes_of(head, sizeof head));
    if (size > 0) memset(buffer_extend(out, size), fill, size);
}

static void read_in_pieces(struct bytes stream, size_t piece, const size_t *sizes, size_t count)
{
    struct frame_reader r = {0};
    struct frame f;
    size_t seen = 0;
    while (stream.size > 0) {
        struct bytes input = bytes_slice(stream, 0, piece < stream.size ? piece : stream.size);
        stream = bytes_slice(stream, input.size, stream.size - input.size);
        enum status status;
        while ((status = frame_reader_next(&r, &f, &input)) == OK) {
            assert_true(seen < count);
            assert_int_equal(f.payload.size, sizes[seen]);
            for (size_t i = 0; i < f.payload.size; i += 97)
                assert_int_equal(f.payload.data[i], seen);
            seen++;
        }
        assert_int_equal(status, E_NOT_FOUND);
        assert_int_equal(input.size, 0);
        assert_true(r.body_capacity <= 2 * r.body_size + 4096);
    }
    assert_int_equal(seen, count);
    assert_true(frame_reader_is_idle(&r));
    assert_null(r.body); /* nothing is kept between frames */
    frame_reader_finish(&r);
}

static void cuts_the_same_frames_however_the_stream_is_torn(void **state)
{
    static const uint8_t TYPES[] = {WIRE_HELLO, WIRE_FINAL_REQUEST, WIRE_TXS, WIRE_VOTE,
                                    WIRE_PEERS};
    static const size_t SIZES[] = {165, 0, 70000, 124, 2};
    static const size_t PIECES[] = {1, 2, 3, 5, 7, 100, 4096, 16384, 1 << 20};
    struct buffer stream = {0};
    (void)state;
    for (uint8_t i = 0; i < 5; i++)
        put_frame(&stream, TYPES[i], SIZES[i], i);
    for (size_t i = 0; i < sizeof PIECES / sizeof PIECES[0]; i++)
        read_in_pieces(buffer_bytes(&stream), PIECES[i], SIZES, 5);
    buffer_finish(&stream);
}

static enum status status_of(struct bytes input, bool greeted)
{
    struct frame_reader r = {.greeted = greeted};
    struct frame f;
    enum status status = frame_reader_next(&r, &f, &input);
    enum status again = frame_reader_next(&r, &f, &input);
    if (status != OK && status != E_NOT_FOUND) assert_int_equal(again, status); /* for good */
    assert_int_equal(r.body_capacity, 0); /* judged before anything is stored */
    frame_reader_finish(&r);
    return status;
}

static struct bytes head_of(uint8_t out[FRAME_HEAD_SIZE], uint32_t size, uint8_t type)
{
    store_be32(out, size);
    out[4] = type;
    return bytes_of(out, FRAME_HEAD_SIZE);
}

static void judges_a_frame_by_its_head(void **state)
{
    uint8_t head[FRAME_HEAD_SIZE];
    (void)state;
    assert_int_equal(status_of(head_of(head, 0, WIRE_VOTE), true), E_MALFORMED);
    assert_int_equal(status_of(head_of(head, 10, 200), true), E_UNSUPPORTED);
    assert_int_equal(status_of(head_of(head, UINT32_MAX, WIRE_BLOCK), true), E_LIMIT);
}

static void takes_each_type_up_to_its_own_size(void **state)
{
    uint8_t head[FRAME_HEAD_SIZE];
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const struct wire_row *row = wire_row((uint8_t)type);
        if (row == NULL || type == WIRE_HELLO) continue;
        enum status full = row->size_max == 0 ? OK : E_NOT_FOUND;
        struct bytes input = head_of(head, 1 + row->size_max, (uint8_t)type);
        assert_int_equal(status_of(input, true), full);
        input = head_of(head, 2 + row->size_max, (uint8_t)type);
        assert_int_equal(status_of(input, true), E_LIMIT);
    }
}

static void wants_one_hello_and_that_first(void **state)
{
    uint8_t head[FRAME_HEAD_SIZE];
    (void)state;
    assert_int_equal(status_of(head_of(head, 100, WIRE_BLOCK), false), E_STATE);
    assert_int_equal(status_of(head_of(head, 1, WIRE_PEERS_REQUEST), false), E_STATE);
    assert_int_equal(status_of(head_of(head, 100, WIRE_HELLO), false), E_NOT_FOUND);
    assert_int_equal(status_of(head_of(head, 100, WIRE_HELLO), true), E_STATE);
}

static void a_promise_alone_costs_no_memory(void **state)
{
    struct frame_reader r = {.greeted = true};
    struct frame f;
    uint8_t head[FRAME_HEAD_SIZE];
    uint8_t some[100] = {0};
    struct bytes input = head_of(head, 4u << 20, WIRE_BLOCK);
    (void)state;
    assert_int_equal(frame_reader_next(&r, &f, &input), E_NOT_FOUND);
    assert_int_equal(r.body_capacity, 0);
    input = bytes_of(some, sizeof some);
    assert_int_equal(frame_reader_next(&r, &f, &input), E_NOT_FOUND);
    assert_in_range(r.body_capacity, 100, 4096);
    frame_reader_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_the_same_frames_however_the_stream_is_torn),
        cmocka_unit_test(judges_a_frame_by_its_head),
        cmocka_unit_test(takes_each_type_up_to_its_own_size),
        cmocka_unit_test(wants_one_hello_and_that_first),
        cmocka_unit_test(a_promise_alone_costs_no_memory),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
