#include "net/peer_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

#define QUEUE_BYTES (12u << 20)

static bool put(struct peer_queue *q, enum wire_type type, size_t size, uint8_t fill)
{
    uint8_t *payload = calloc(1, size + 1);
    memset(payload, fill, size);
    struct parcel *parcel = parcel_create(type, bytes_of(payload, size));
    bool kept = peer_queue_put(q, parcel);
    parcel_release(parcel);
    free(payload);
    return kept;
}

/* Takes the next frame whole; its type, and the first byte of its payload. */
static uint8_t next(struct peer_queue *q, uint8_t *fill)
{
    static uint8_t frame[5u << 20];
    assert_int_equal(peer_queue_take(q, frame, FRAME_HEAD_SIZE), FRAME_HEAD_SIZE);
    uint8_t type = frame[4];
    size_t size = load_be32(frame) - 1;
    *fill = 0;
    if (size == 0) return type;
    assert_int_equal(peer_queue_take(q, frame, size), size);
    *fill = frame[0];
    return type;
}

static void frames_leave_by_priority_and_then_in_order(void **state)
{
    static const enum wire_type IN[] = {WIRE_BODY, WIRE_TXS, WIRE_BLOCK, WIRE_VOTE, WIRE_PING};
    struct peer_queue q;
    uint8_t fill;
    (void)state;
    peer_queue_init(&q, QUEUE_BYTES);
    for (uint8_t round = 0; round < 3; round++)
        for (size_t i = 0; i < 5; i++)
            assert_true(put(&q, IN[i], 8, round));
    for (size_t i = 0; i < 5; i++)
        for (uint8_t round = 0; round < 3; round++) {
            assert_int_equal(next(&q, &fill), IN[4 - i]);
            assert_int_equal(fill, round);
        }
    assert_true(peer_queue_is_empty(&q));
    assert_int_equal(peer_queue_take(&q, &fill, 1), 0);
    peer_queue_finish(&q);
}

static void a_vote_overtakes_a_block_that_waits_but_not_one_that_began(void **state)
{
    struct peer_queue q;
    uint8_t chunk[1000];
    uint8_t fill;
    (void)state;
    peer_queue_init(&q, QUEUE_BYTES);
    put(&q, WIRE_BLOCK, 2000, 1);
    put(&q, WIRE_BLOCK, 2000, 2);
    assert_int_equal(peer_queue_take(&q, chunk, sizeof chunk), sizeof chunk);
    put(&q, WIRE_VOTE, 124, 3);
    for (size_t left = FRAME_HEAD_SIZE + 2000 - sizeof chunk; left > 0;) {
        size_t size = left < sizeof chunk ? left : sizeof chunk;
        assert_int_equal(peer_queue_take(&q, chunk, size), size);
        assert_int_equal(chunk[0], 1);
        left -= size;
    }
    assert_int_equal(next(&q, &fill), WIRE_VOTE);
    assert_int_equal(next(&q, &fill), WIRE_BLOCK);
    assert_int_equal(fill, 2);
    peer_queue_finish(&q);
}

static void a_full_queue_sheds_the_oldest_of_the_least_channel(void **state)
{
    struct peer_queue q;
    uint8_t fill;
    (void)state;
    peer_queue_init(&q, 1000 + 4 * (FRAME_HEAD_SIZE + PARCEL_COST));
    assert_true(put(&q, WIRE_BLOCK, 250, 1));
    assert_true(put(&q, WIRE_BODY, 250, 2));
    assert_true(put(&q, WIRE_BODY, 250, 3));
    assert_true(put(&q, WIRE_TXS, 250, 4));
    assert_true(put(&q, WIRE_BLOCK, 100, 5)); /* the first BODY goes */
    assert_int_equal(q.shed, 1);
    assert_true(put(&q, WIRE_VOTE, 124, 6)); /* the second goes */
    assert_true(put(&q, WIRE_VOTE, 124, 7));
    assert_true(put(&q, WIRE_VOTE, 124, 8)); /* the TXS go */
    assert_int_equal(q.shed, 3);
    assert_int_equal(next(&q, &fill), WIRE_VOTE);
    assert_int_equal(fill, 6);
    next(&q, &fill);
    next(&q, &fill);
    assert_int_equal(next(&q, &fill), WIRE_BLOCK);
    assert_int_equal(fill, 1);
    assert_int_equal(next(&q, &fill), WIRE_BLOCK);
    assert_true(peer_queue_is_empty(&q));
    peer_queue_finish(&q);
}

static void a_newcomer_that_is_the_least_is_shed_itself(void **state)
{
    struct peer_queue q;
    (void)state;
    peer_queue_init(&q, 1000);
    assert_true(put(&q, WIRE_BLOCK, 800, 1));
    assert_false(put(&q, WIRE_TXS, 100, 2));
    assert_int_equal(q.shed, 1);
    assert_true(put(&q, WIRE_BLOCK, 700, 3)); /* of equals the oldest goes */
    uint8_t fill;
    assert_int_equal(next(&q, &fill), WIRE_BLOCK);
    assert_int_equal(fill, 3);
    peer_queue_finish(&q);
}

static void what_is_being_sent_is_never_shed(void **state)
{
    struct peer_queue q;
    uint8_t byte;
    (void)state;
    peer_queue_init(&q, 1000);
    assert_true(put(&q, WIRE_BODY, 800, 1));
    assert_int_equal(peer_queue_take(&q, &byte, 1), 1);
    assert_false(put(&q, WIRE_BLOCK, 500, 2));
    assert_true(put(&q, WIRE_VOTE, 50, 3));
    assert_int_equal(q.shed, 1);
    peer_queue_finish(&q);
}

static void votes_survive_any_number_of_blocks(void **state)
{
    struct peer_queue q;
    uint8_t fill;
    (void)state;
    peer_queue_init(&q, QUEUE_BYTES);
    for (uint8_t i = 0; i < 100; i++)
        assert_true(put(&q, WIRE_VOTE, 124, i));
    for (uint8_t i = 0; i < 20; i++)
        assert_true(put(&q, WIRE_BLOCK, 4u << 20, i));
    assert_true(q.bytes <= QUEUE_BYTES);
    for (uint8_t i = 0; i < 100; i++) {
        assert_int_equal(next(&q, &fill), WIRE_VOTE);
        assert_int_equal(fill, i);
    }
    assert_int_equal(next(&q, &fill), WIRE_BLOCK);
    assert_int_equal(fill, 18); /* the last two fit */
    peer_queue_finish(&q);
}

static void small_messages_are_bounded_too(void **state)
{
    struct peer_queue q;
    (void)state;
    peer_queue_init(&q, QUEUE_BYTES);
    for (uint32_t i = 0; i < 1000000; i++)
        put(&q, WIRE_PONG, 8, 0);
    assert_true(q.bytes <= QUEUE_BYTES);
    assert_true(1000000 - q.shed <= QUEUE_BYTES / (8 + FRAME_HEAD_SIZE + PARCEL_COST));
    peer_queue_finish(&q);
}

static void answers_take_no_more_than_their_part(void **state)
{
    struct peer_queue q;
    (void)state;
    peer_queue_init(&q, QUEUE_BYTES);
    for (uint8_t i = 0; i < 10; i++)
        assert_true(put(&q, WIRE_BODY, 2u << 20, i));
    assert_true(q.channel_bytes[CHANNEL_SYNC] <= PEER_ANSWER_BYTES_MAX);
    assert_int_equal(q.shed, 8);
    peer_queue_finish(&q);
}

static void room_is_what_goes_in_without_shedding(void **state)
{
    static const enum wire_type TYPES[] = {WIRE_BLOCK, WIRE_BODY};
    static const enum channel CHANNELS[] = {CHANNEL_BLOCKS, CHANNEL_SYNC};
    struct peer_queue q;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        peer_queue_init(&q, QUEUE_BYTES);
        for (int j = 0; j < 40; j++) {
            size_t room = peer_queue_room(&q, CHANNELS[i]);
            size_t size = room < (1u << 20) ? room : (1u << 20) - 7777;
            if (room == 0) break;
            assert_true(put(&q, TYPES[i], size, 1));
            assert_int_equal(q.shed, 0);
        }
        assert_int_equal(peer_queue_room(&q, CHANNELS[i]), 0);
        put(&q, TYPES[i], 1, 1);
        assert_int_equal(q.shed, 1);
        peer_queue_finish(&q);
    }
}

static void a_parcel_for_many_is_held_once(void **state)
{
    struct peer_queue queues[10];
    struct parcel *parcel = parcel_create(WIRE_BLOCK, bytes_of("block", 5));
    uint8_t fill;
    (void)state;
    for (size_t i = 0; i < 10; i++) {
        peer_queue_init(&queues[i], QUEUE_BYTES);
        assert_true(peer_queue_put(&queues[i], parcel));
    }
    parcel_release(parcel);
    for (size_t i = 0; i < 10; i++) {
        if (i % 2 == 0) assert_int_equal(next(&queues[i], &fill), WIRE_BLOCK);
        peer_queue_finish(&queues[i]); /* the address sanitizer sees whether all is freed */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_leave_by_priority_and_then_in_order),
        cmocka_unit_test(a_vote_overtakes_a_block_that_waits_but_not_one_that_began),
        cmocka_unit_test(a_full_queue_sheds_the_oldest_of_the_least_channel),
        cmocka_unit_test(a_newcomer_that_is_the_least_is_shed_itself),
        cmocka_unit_test(what_is_being_sent_is_never_shed),
        cmocka_unit_test(votes_survive_any_number_of_blocks),
        cmocka_unit_test(small_messages_are_bounded_too),
        cmocka_unit_test(answers_take_no_more_than_their_part),
        cmocka_unit_test(room_is_what_goes_in_without_shedding),
        cmocka_unit_test(a_parcel_for_many_is_held_once),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
