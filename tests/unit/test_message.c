/* Messages and the blocks that their bodies share. */
#include <check.h>
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveret/base/message.h"
#include "leveret/base/random.h"
#include "scarce.h"

static struct message *make(uint64_t body_bytes)
{
    struct message *m = message_new(BYTES_LITERAL("exchange"), BYTES_LITERAL("key"),
                                    BYTES_LITERAL("\x10\x00\x02"), body_bytes);
    ck_assert_ptr_nonnull(m);
    return m;
}

/* Whether the body is these bytes; pieces must not be empty. */
static bool body_is(const struct message *m, const uint8_t *expected, size_t len)
{
    size_t at = 0;
    for (uint32_t i = 0; i < message_body_pieces(m); i++) {
        struct bytes piece = message_body_piece(m, i);
        ck_assert_uint_gt(piece.len, 0);
        if (piece.len > len - at || memcmp(piece.at, expected + at, piece.len) != 0)
            return false;
        at += piece.len;
    }
    return at == len;
}

START_TEST(buffers_count)
{
    struct buffer *b = buffer_new(10), *other = buffer_ref(b);
    ck_assert_uint_eq(b->capacity, 10);
    ck_assert(!buffer_sole(b));
    buffer_unref(&other);
    ck_assert_ptr_null(other);
    ck_assert(buffer_sole(b));
    buffer_unref(&b);
    buffer_unref(&b); /* NULL: nothing */
}
END_TEST

START_TEST(envelope)
{
    struct message *m = make(0);
    ck_assert(bytes_equal_text(message_exchange(m), "exchange"));
    ck_assert(bytes_equal_text(message_routing_key(m), "key"));
    ck_assert(bytes_equal(message_properties(m), BYTES_LITERAL("\x10\x00\x02")));
    ck_assert(message_full(m));
    ck_assert_uint_eq(message_body_pieces(m), 0);
    ck_assert_uint_eq(m->ttl_ms, MESSAGE_NO_TTL);
    struct message *again = message_ref(m);
    message_unref(&m);
    ck_assert(bytes_equal_text(message_exchange(again), "exchange"));
    message_unref(&again);
    message_unref(&again);
    /* Nothing and the longest in each place. */
    uint8_t longest[255];
    memset(longest, 'n', sizeof longest);
    m = message_new((struct bytes){0}, bytes_of(longest, 255), (struct bytes){0}, 0);
    ck_assert_uint_eq(message_exchange(m).len, 0);
    ck_assert(bytes_equal(message_routing_key(m), bytes_of(longest, 255)));
    ck_assert_uint_eq(message_properties(m).len, 0);
    message_unref(&m);
}
END_TEST

START_TEST(small_body_is_inline)
{
    uint8_t body[MESSAGE_INLINE_BODY_MAX];
    memset(body, 'b', sizeof body);
    struct buffer *owner = buffer_new(sizeof body);
    memcpy(owner->data, body, sizeof body);
    struct message *m = make(sizeof body);
    ck_assert_int_eq(message_fill(m, owner, owner->data, 1000), STATUS_OK);
    ck_assert(!message_full(m));
    ck_assert_int_eq(message_fill(m, owner, owner->data + 1000, sizeof body - 1000), STATUS_OK);
    ck_assert(message_full(m));
    ck_assert(buffer_sole(owner)); /* copied: the receive block is free */
    buffer_unref(&owner);
    ck_assert_uint_eq(message_body_pieces(m), 1);
    ck_assert(body_is(m, body, sizeof body));
    message_unref(&m);
}
END_TEST

START_TEST(large_pieces_are_shared)
{
    enum { LEN = 100000 };
    struct buffer *owner = buffer_new(LEN);
    for (size_t i = 0; i < LEN; i++)
        owner->data[i] = (uint8_t)(i * 7);
    uint8_t *copy = mem_need(LEN);
    memcpy(copy, owner->data, LEN);
    struct message *m = make(LEN);
    ck_assert_int_eq(message_fill(m, owner, owner->data, 50000), STATUS_OK);
    ck_assert_int_eq(message_fill(m, owner, owner->data + 50000, LEN - 50000), STATUS_OK);
    ck_assert_uint_eq(message_body_pieces(m), 1); /* neighbours are one slice */
    ck_assert_ptr_eq(message_body_piece(m, 0).at, owner->data);
    ck_assert(!buffer_sole(owner));
    buffer_unref(&owner);
    ck_assert(body_is(m, copy, LEN));
    message_unref(&m);
    free(copy);
}
END_TEST

START_TEST(pieces_of_any_size)
{
    struct random_stream random = {3};
    for (unsigned round = 0; round < 200; round++) {
        size_t len = 1 + random_next(&random) % 60000, filled = 0;
        uint8_t *body = mem_need(len);
        for (size_t i = 0; i < len; i++)
            body[i] = (uint8_t)random_next(&random);
        struct message *m = make(len);
        struct buffer *owner = NULL;
        size_t used = 0;
        while (filled < len) {
            /* Receive blocks with gaps between what is taken, as frames have; now and then none. */
            if (!owner || random_next(&random) % 5 == 0 || owner->capacity - used < 20000) {
                buffer_unref(&owner);
                owner = buffer_new(65536);
                used = 0;
            }
            size_t piece = 1 + random_next(&random) % (random_next(&random) % 2 ? 20 : 9000);
            piece = piece < len - filled ? piece : len - filled;
            used += random_next(&random) % 9;
            memcpy(owner->data + used, body + filled, piece);
            bool owned = random_next(&random) % 8;
            ck_assert_int_eq(message_fill(m, owned ? owner : NULL, owner->data + used, piece),
                             STATUS_OK);
            used += piece;
            filled += piece;
        }
        /* The receive block is written over; what the message holds of it is not. */
        if (owner)
            memset(owner->data + used, 0, owner->capacity - used);
        buffer_unref(&owner);
        ck_assert(message_full(m));
        ck_assert(body_is(m, body, len));
        message_unref(&m);
        free(body);
    }
}
END_TEST

START_TEST(byte_by_byte_costs_little)
{
    enum { LEN = 300000 };
    struct buffer *owner = buffer_new(16);
    struct message *m = make(LEN);
    for (size_t i = 0; i < LEN; i++) {
        owner->data[3] = (uint8_t)(i % 251);
        ck_assert_int_eq(message_fill(m, owner, owner->data + 3, 1), STATUS_OK);
    }
    buffer_unref(&owner);
    size_t room = 0, at = 0;
    bool same = true;
    for (uint32_t i = 0; i < m->slice_count; i++) {
        room += m->slices[i].owner->capacity;
        for (size_t j = 0; j < m->slices[i].len; j++, at++)
            same = same && m->slices[i].at[j] == at % 251;
    }
    ck_assert(same);
    ck_assert_uint_eq(at, LEN);
    ck_assert_uint_le(room, LEN + 8192);
    ck_assert_uint_lt(message_memory(m), LEN + LEN / 50);
    message_unref(&m);
}
END_TEST

/* ---- No memory. */

START_TEST(buffers_are_not_to_be_had)
{
    scarce_begin(1);
    ck_assert_ptr_null(buffer_new(100));
    ck_assert(scarce_end());
    scarce_begin(1);
    ck_assert_ptr_null(
        message_new(BYTES_LITERAL("x"), BYTES_LITERAL("y"), BYTES_LITERAL("\0\0"), 1));
    ck_assert(scarce_end());
    void *array = mem_try_array(NULL, 4, 8);
    ck_assert_ptr_nonnull(array);
    ck_assert_ptr_null(mem_try_array(array, SIZE_MAX / 2, 8));
    free(array);
}
END_TEST

/* Pieces of all kinds: by reference, copied, copied behind each other. */
static enum status fill_in_pieces(struct message *m, struct buffer *owner, uint64_t seed)
{
    struct random_stream random = {seed};
    while (!message_full(m)) {
        size_t left = (size_t)(m->body_bytes - m->body_filled);
        size_t len = random_next(&random) % (random_next(&random) % 2 ? 300 : 3000);
        const uint8_t *at = owner->data + m->body_filled;
        len = len < left ? len : left;
        enum status status = message_fill(m, random_next(&random) % 3 ? owner : NULL, at, len);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* What fails leaves the message as it was: it can be filled on, read and freed. */
START_TEST(filling_fails_cleanly_at_each_allocation)
{
    struct buffer *owner = buffer_new(60000);
    for (size_t i = 0; i < owner->capacity; i++)
        owner->data[i] = (uint8_t)(i * 31 >> 3);
    unsigned failures = 0;
    for (unsigned nth = 1, failed = 1; failed; nth++) {
        struct message *m = make(owner->capacity);
        scarce_begin(nth);
        enum status status = fill_in_pieces(m, owner, 5);
        failed = scarce_end();
        failures += failed;
        ck_assert_int_eq(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        if (failed) {
            uint64_t filled = m->body_filled;
            ck_assert_int_eq(
                message_fill(m, owner, owner->data + filled, (size_t)(m->body_bytes - filled)),
                STATUS_OK);
        }
        ck_assert(body_is(m, owner->data, owner->capacity));
        message_unref(&m);
        ck_assert(buffer_sole(owner));
    }
    ck_assert_uint_gt(failures, 10);
    buffer_unref(&owner);
}
END_TEST

START_TEST(copies_fail_cleanly_at_each_allocation)
{
    struct buffer *owner = buffer_new(60000);
    memset(owner->data, 'x', owner->capacity);
    struct message *m = make(owner->capacity), *small = make(3);
    ck_assert_int_eq(fill_in_pieces(m, owner, 6), STATUS_OK);
    ck_assert_int_eq(message_fill(small, NULL, owner->data, 3), STATUS_OK);
    unsigned failures = 0;
    for (unsigned nth = 1, failed = 1; failed; nth++) {
        scarce_begin(nth);
        struct message *a = message_with_properties(m, BYTES_LITERAL("\0\0"));
        struct message *b = message_readdressed(small, BYTES_LITERAL("dlx"), BYTES_LITERAL("k"),
                                                BYTES_LITERAL("\0\0"));
        failed = scarce_end();
        failures += failed;
        ck_assert_int_eq(!a + !b, (int)failed);
        if (a)
            ck_assert(body_is(a, owner->data, owner->capacity));
        message_unref(&a);
        message_unref(&b);
        ck_assert_uint_eq(atomic_load(&m->refs), 1);
    }
    ck_assert_uint_gt(failures, 3);
    message_unref(&m);
    message_unref(&small);
    ck_assert(buffer_sole(owner));
    buffer_unref(&owner);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("message");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 1200);
    tcase_add_test(tc, buffers_count);
    tcase_add_test(tc, envelope);
    tcase_add_test(tc, small_body_is_inline);
    tcase_add_test(tc, large_pieces_are_shared);
    tcase_add_test(tc, pieces_of_any_size);
    tcase_add_test(tc, byte_by_byte_costs_little);
    tcase_add_test(tc, buffers_are_not_to_be_had);
    tcase_add_test(tc, filling_fails_cleanly_at_each_allocation);
    tcase_add_test(tc, copies_fail_cleanly_at_each_allocation);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
