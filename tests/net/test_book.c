#include "tests/net/book_fixture.h"

#include "base/file.h"
#include "base/keccak.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* after setjmp.h and stdarg.h, which it needs */
#include <cmocka.h>

static void what_was_heard_of_once_is_kept_once(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer p = honest(1), source = honest(2), found;
    (void)state;
    assert_false(book_choose(b, &found, skip_none, NULL, START_S));
    assert_true(tell(b, p, source, START_S));
    assert_false(tell(b, p, source, START_S));
    assert_int_equal(book_count(b), 1);
    assert_int_equal(book_tried_count(b), 0);
    assert_true(book_choose(b, &found, skip_none, NULL, START_S));
    assert_memory_equal(&found.id, &p.id, sizeof(p.id));
    assert_true(net_address_equal(&found.address, &p.address));
    book_destroy(b);
}

static void private_addresses_are_kept_only_when_allowed(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer loopback = peer_at(0x7f000001), out[4];
    (void)state;
    assert_false(tell(b, loopback, loopback, START_S));
    book_connected(b, &loopback, START_S);
    assert_int_equal(book_count(b), 0);
    book_allow_private(b, true);
    assert_true(tell(b, loopback, loopback, START_S));
    assert_true(has(b, &loopback, START_S));
    book_allow_private(b, false); /* a book of a private network, now in the public one */
    assert_false(has(b, &loopback, START_S));
    assert_int_equal(book_sample(b, out, 4, START_S), 0);
    book_destroy(b);
}

static void two_who_name_different_ids_are_both_not_believed(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer p = honest(1), other = honest(1), found;
    (void)state;
    other.id.b[0] ^= 1;
    assert_true(tell(b, p, honest(2), START_S));
    assert_false(tell(b, other, honest(3), START_S));
    assert_true(book_choose(b, &found, skip_none, NULL, START_S));
    assert_true(hash_is_zero(&found.id));
    book_connected(b, &p, START_S); /* proven: words change nothing */
    assert_false(tell(b, other, honest(3), START_S));
    assert_true(book_choose(b, &found, skip_none, NULL, START_S + LONG_S));
    assert_memory_equal(&found.id, &p.id, sizeof(p.id));
    book_destroy(b);
}

static void a_source_adds_a_burst_and_then_one_in_ten_seconds(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer source = honest(4000);
    uint32_t n = 0, kept = 0;
    (void)state;
    for (; n < 200; n++)
        kept += tell(b, honest(n), source, START_S);
    assert_true(kept <= BOOK_SOURCE_BURST && kept > BOOK_SOURCE_BURST * 3 / 4);
    assert_true(tell(b, honest(n), honest(4001), START_S)); /* another source is not held up */
    kept = 0;
    for (uint64_t s = 1; s <= 100; s++, n++)
        kept += tell(b, honest(n + 9), source, START_S + s);
    assert_true(kept <= 100 / BOOK_SOURCE_RATE_S && kept >= 8);
    book_destroy(b);
}

static void a_clock_that_goes_back_gives_nobody_more_and_stops_nobody(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer p = honest(1), source = honest(2);
    uint32_t kept = 0;
    (void)state;
    assert_true(tell(b, p, source, START_S));
    book_failed(b, &p.address, START_S);
    assert_true(has(b, &p, START_S - 5000));
    for (uint32_t n = 10; n < 200; n++)
        kept += tell(b, honest(n), source, START_S - 5000 - n);
    assert_true(kept < BOOK_SOURCE_BURST);
    book_destroy(b);
}

static void cool_down_is_a_minute_and_doubles_up_to_an_hour(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer p = honest(1);
    uint64_t now_s = START_S, waits_s[] = {120, 240, 480, 960, 1920, 3600, 3600, 3600};
    (void)state;
    assert_true(tell(b, p, p, now_s));
    book_attempted(b, &p.address, now_s);
    assert_false(has(b, &p, now_s + 59));
    assert_true(has(b, &p, now_s + 60));
    for (size_t i = 0; i < sizeof(waits_s) / sizeof(waits_s[0]); i++) {
        book_failed(b, &p.address, now_s);
        assert_false(has(b, &p, now_s + waits_s[i] - 1));
        now_s += waits_s[i];
        assert_true(has(b, &p, now_s));
    }
    book_connected(b, &p, now_s);
    assert_true(has(b, &p, now_s + 60));
    book_destroy(b);
}

static void fixed_peers_come_first_and_soon_again_whatever_happens(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer fixed = honest(2), p = honest(1), found;
    uint64_t now_s = START_S;
    (void)state;
    assert_true(tell(b, p, p, now_s));
    book_add_fixed(b, &fixed);
    book_add_fixed(b, &fixed);
    assert_int_equal(book_count(b), 2);
    for (int i = 0; i < 300; i++, now_s += 30) {
        assert_true(book_choose(b, &found, skip_none, NULL, now_s));
        assert_true(net_address_equal(&found.address, &fixed.address));
        book_failed(b, &fixed.address, now_s);
        assert_int_equal(has(b, &fixed, now_s + 1), false); /* it has failed: two seconds */
    }
    book_connected(b, &fixed, now_s);
    assert_false(has(b, &fixed, now_s));
    assert_true(has(b, &fixed, now_s + 1));
    assert_false(tell(b, fixed, p, now_s));
    assert_int_equal(book_count(b), 2);
    book_destroy(b);
}

static void fixed_peers_have_a_bound(void **state)
{
    struct book *b = book_create(SEED);
    (void)state;
    for (uint32_t i = 0; i < 2 * BOOK_FIXED_MAX; i++)
        book_add_fixed(b, &(struct wire_peer){honest(i).address, {{0}}});
    assert_int_equal(book_count(b), BOOK_FIXED_MAX);
    book_destroy(b);
}

static void choosing_is_half_tried_and_half_new(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer found;
    uint32_t tried = 0;
    (void)state;
    for (uint32_t i = 0; i < 400; i++) {
        struct wire_peer p = honest(i);
        assert_true(tell(b, p, p, START_S) || i > 200);
        if (i < 10) book_connected(b, &p, START_S);
    }
    for (uint32_t i = 0; i < 2000; i++) {
        assert_true(book_choose(b, &found, skip_none, NULL, START_S + LONG_S));
        tried += load_be32(found.address.ip + 12) < load_be32(honest(10).address.ip + 12);
    }
    assert_in_range(tried, 900, 1100);
    book_destroy(b);
}

static void two_starts_do_not_choose_alike(void **state)
{
    struct book *b[2];
    struct buffer file = {0};
    struct wire_peer found[2];
    uint32_t same = 0;
    (void)state;
    b[0] = book_create(SEED);
    for (uint32_t i = 0; i < 300; i++)
        (void)tell(b[0], honest(i), honest(i), START_S);
    book_encode(&file, b[0]);
    assert_int_equal(book_decode(&b[1], buffer_bytes(&file), (const uint8_t[32]){9}), OK);
    for (uint32_t i = 0; i < 100; i++) {
        for (int k = 0; k < 2; k++)
            assert_true(book_choose(b[k], &found[k], skip_none, NULL, START_S));
        same += net_address_equal(&found[0].address, &found[1].address);
    }
    assert_true(same < 10);
    buffer_finish(&file);
    book_destroy(b[0]);
    book_destroy(b[1]);
}

static void a_sample_has_each_fresh_address_at_most_once(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer out[WIRE_PEERS_MAX], stale = honest(3000);
    (void)state;
    assert_true(tell(b, stale, stale, START_S - BOOK_STALE_S - 1));
    for (uint32_t i = 0; i < 50; i++) {
        struct wire_peer p = honest(i);
        assert_true(tell(b, p, p, START_S));
        if (i % 2) book_connected(b, &p, START_S);
    }
    assert_int_equal(book_sample(b, out, 10, START_S), 10);
    assert_int_equal(book_sample(b, out, WIRE_PEERS_MAX, START_S), 50);
    for (size_t i = 0; i < 50; i++) {
        assert_false(net_address_equal(&out[i].address, &stale.address));
        for (size_t k = 0; k < i; k++)
            assert_false(net_address_equal(&out[i].address, &out[k].address));
    }
    book_destroy(b);
}

static void an_address_from_the_future_is_not_passed_on(void **state)
{
    struct book *b = book_create(SEED);
    struct wire_peer out[2];
    (void)state;
    assert_true(tell(b, honest(1), honest(1), START_S + 3600));
    assert_int_equal(book_sample(b, out, 2, START_S), 0);
    assert_int_equal(book_sample(b, out, 2, START_S + 3600), 1);
    book_destroy(b);
}

static void anchors_are_dialled_first_after_a_restart_and_once(void **state)
{
    struct book *b = book_create(SEED), *again;
    struct wire_peer anchors[6], found;
    struct buffer file = {0};
    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        anchors[i] = honest(i);
    for (uint32_t i = 6; i < 100; i++)
        (void)tell(b, honest(i), honest(i), START_S);
    book_set_anchors(b, anchors, 6);
    book_encode(&file, b);
    assert_int_equal(book_decode(&again, buffer_bytes(&file), SEED), OK);
    for (uint32_t i = 0; i < BOOK_ANCHORS; i++) {
        assert_true(book_choose(again, &found, skip_none, NULL, START_S));
        assert_true(load_be32(found.id.b) < load_be32(honest(BOOK_ANCHORS).id.b));
    }
    assert_true(book_choose(again, &found, skip_none, NULL, START_S));
    assert_true(load_be32(found.address.ip + 12) >= load_be32(honest(6).address.ip + 12));
    buffer_clear(&file); /* until others are set they stay the anchors */
    book_encode(&file, again);
    book_destroy(again);
    assert_int_equal(book_decode(&again, buffer_bytes(&file), SEED), OK);
    assert_true(book_choose(again, &found, skip_none, NULL, START_S));
    assert_true(load_be32(found.id.b) < load_be32(honest(BOOK_ANCHORS).id.b));
    buffer_finish(&file);
    book_destroy(again);
    book_destroy(b);
}

struct place {
    char folder[32];
    char path[64], damaged[96];
};

static struct place place_make(void)
{
    struct place p = {.folder = "/tmp/book.XXXXXX"};
    assert_non_null(mkdtemp(p.folder));
    snprintf(p.path, sizeof(p.path), "%s/peers.book", p.folder);
    snprintf(p.damaged, sizeof(p.damaged), "%s.damaged", p.path);
    return p;
}

static void place_remove(struct place *p)
{
    unlink(p->path);
    unlink(p->damaged);
    assert_int_equal(rmdir(p->folder), 0); /* nothing else was left there */
}

static struct book *crowded(void)
{
    struct book *b = book_create(SEED);
    for (uint32_t i = 0; i < 300; i++) {
        struct wire_peer p = honest(i);
        (void)tell(b, p, p, START_S);
        if (i % 3 == 0) book_connected(b, &p, START_S);
        if (i % 7 == 0) book_failed(b, &p.address, START_S);
    }
    book_set_anchors(b, &(struct wire_peer){honest(1).address, {{1}}}, 1);
    return b;
}

static void a_saved_book_reads_back_the_same(void **state)
{
    struct place place = place_make();
    struct book *b = crowded(), *again;
    struct buffer before = {0}, after = {0};
    (void)state;
    assert_int_equal(book_load(&again, place.path, SEED), E_NOT_FOUND);
    assert_int_equal(book_save(b, place.path), OK);
    assert_int_equal(book_load(&again, place.path, (const uint8_t[32]){5}), OK);
    assert_int_equal(book_count(again), book_count(b));
    assert_int_equal(book_tried_count(again), 100);
    book_encode(&before, b);
    book_encode(&after, again);
    assert_true(bytes_equal(buffer_bytes(&before), buffer_bytes(&after)));
    buffer_finish(&before);
    buffer_finish(&after);
    book_destroy(again);
    book_destroy(b);
    place_remove(&place);
}

static void a_damaged_file_is_put_aside(void **state)
{
    struct place place = place_make();
    struct book *b = crowded(), *again = NULL;
    struct buffer content = {0};
    (void)state;
    book_encode(&content, b);
    content.data[content.size / 2] ^= 1;
    assert_int_equal(file_write_atomic(place.path, buffer_bytes(&content), 0600), OK);
    assert_int_equal(book_load(&again, place.path, SEED), E_MALFORMED);
    assert_null(again);
    assert_int_equal(access(place.path, F_OK), -1);
    assert_int_equal(access(place.damaged, F_OK), 0);
    assert_int_equal(book_load(&again, place.path, SEED), E_NOT_FOUND);
    buffer_finish(&content);
    book_destroy(b);
    place_remove(&place);
}

static void no_changed_cut_or_lengthened_file_is_taken(void **state)
{
    struct book *b = crowded(), *again = NULL;
    struct buffer content = {0};
    (void)state;
    book_encode(&content, b);
    for (size_t at = 0; at < content.size; at += 97) {
        content.data[at] ^= 0x10;
        assert_int_equal(book_decode(&again, buffer_bytes(&content), SEED), E_MALFORMED);
        content.data[at] ^= 0x10;
        assert_int_equal(book_decode(&again, bytes_of(content.data, at), SEED), E_MALFORMED);
    }
    buffer_append_byte(&content, 0);
    assert_int_equal(book_decode(&again, buffer_bytes(&content), SEED), E_MALFORMED);
    buffer_finish(&content);
    book_destroy(b);
}

#define ENTRY_SIZE 69
#define CHECKSUM   32

/* The nth entry from the end of a file. */
static uint8_t *last_entry(const struct buffer *file, size_t n)
{
    return file->data + file->size - CHECKSUM - (n + 1) * ENTRY_SIZE;
}

static enum status decode_sealed(struct buffer *file)
{
    struct book *b = NULL;
    struct hash checksum = keccak256(bytes_of(file->data, file->size - CHECKSUM));
    memcpy(file->data + file->size - CHECKSUM, checksum.b, CHECKSUM);
    enum status status = book_decode(&b, buffer_bytes(file), SEED);
    book_destroy(b);
    return status;
}

static void a_file_with_twins_or_in_disorder_is_damaged_whatever_its_checksum(void **state)
{
    struct book *b = crowded();
    struct buffer file = {0};
    (void)state;
    book_encode(&file, b);
    assert_int_equal(decode_sealed(&file), OK);
    uint8_t address[18];
    memcpy(address, last_entry(&file, 0) + 2, sizeof(address));
    memcpy(last_entry(&file, 0) + 2, last_entry(&file, 150) + 2, sizeof(address));
    assert_int_equal(decode_sealed(&file), E_MALFORMED);
    memcpy(last_entry(&file, 0) + 2, address, sizeof(address));
    assert_int_equal(decode_sealed(&file), OK);
    store_be16(last_entry(&file, 0), 0); /* the first bucket, at the end */
    assert_int_equal(decode_sealed(&file), E_MALFORMED);
    store_be16(last_entry(&file, 0), 320); /* there is no such bucket */
    assert_int_equal(decode_sealed(&file), E_MALFORMED);
    buffer_finish(&file);
    book_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_heard_of_once_is_kept_once),
        cmocka_unit_test(private_addresses_are_kept_only_when_allowed),
        cmocka_unit_test(two_who_name_different_ids_are_both_not_believed),
        cmocka_unit_test(a_source_adds_a_burst_and_then_one_in_ten_seconds),
        cmocka_unit_test(a_clock_that_goes_back_gives_nobody_more_and_stops_nobody),
        cmocka_unit_test(cool_down_is_a_minute_and_doubles_up_to_an_hour),
        cmocka_unit_test(fixed_peers_come_first_and_soon_again_whatever_happens),
        cmocka_unit_test(fixed_peers_have_a_bound),
        cmocka_unit_test(choosing_is_half_tried_and_half_new),
        cmocka_unit_test(two_starts_do_not_choose_alike),
        cmocka_unit_test(a_sample_has_each_fresh_address_at_most_once),
        cmocka_unit_test(anchors_are_dialled_first_after_a_restart_and_once),
        cmocka_unit_test(a_saved_book_reads_back_the_same),
        cmocka_unit_test(a_damaged_file_is_put_aside),
        cmocka_unit_test(an_address_from_the_future_is_not_passed_on),
        cmocka_unit_test(a_file_with_twins_or_in_disorder_is_damaged_whatever_its_checksum),
        cmocka_unit_test(no_changed_cut_or_lengthened_file_is_taken),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
