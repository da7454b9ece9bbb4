/* Chunks: slots, bit maps, memory. */
#include <check.h>
#include <stdlib.h>

#include "broker/store/chunk.h"

static struct message *make(uint64_t body_bytes)
{
    static const uint8_t properties[2];
    static const uint8_t body[64];
    struct message *message =
        message_new(bytes_of("", 0), bytes_of("k", 1), bytes_of(properties, 2), body_bytes);
    ck_assert_ptr_nonnull(message);
    ck_assert_int_eq(message_fill(message, NULL, body, body_bytes), STATUS_OK);
    return message;
}

START_TEST(finds_bits)
{
    uint64_t bits[JOURNAL_CHUNK_WORDS] = {0};
    ck_assert_uint_eq(bit_next(bits, 0), JOURNAL_CHUNK_SLOTS);
    bit_set(bits, 63);
    bit_set(bits, 64);
    bit_set(bits, 511);
    ck_assert_uint_eq(bit_first(bits), 63);
    ck_assert_uint_eq(bit_next(bits, 64), 64);
    ck_assert_uint_eq(bit_next(bits, 65), 511);
    bit_clear(bits, 63);
    ck_assert_uint_eq(bit_first(bits), 64);
    ck_assert(bit_test(bits, 511) && !bit_test(bits, 510));
}
END_TEST

START_TEST(holds_a_whole_chunk)
{
    struct chunk *chunk = chunk_new(NULL, 7);
    struct message *message = make(10);
    for (unsigned i = 0; i < JOURNAL_CHUNK_SLOTS; i++) {
        ck_assert(!chunk_full(chunk));
        ck_assert_uint_eq(chunk_add(chunk, message, i % 2 ? i : 0), i);
    }
    ck_assert(chunk_full(chunk));
    ck_assert_uint_eq(chunk->live, JOURNAL_CHUNK_SLOTS);
    ck_assert_uint_eq(chunk->body_bytes, 10 * JOURNAL_CHUNK_SLOTS);
    ck_assert_uint_eq(chunk->memory_bytes, message_memory(message) * JOURNAL_CHUNK_SLOTS);
    ck_assert_uint_eq(chunk_expires(chunk, 101), 101);
    ck_assert_uint_eq(chunk_expires(chunk, 100), 0);
    struct message *out = chunk_remove(chunk, 100, 10);
    ck_assert_ptr_eq(out, message);
    ck_assert_uint_eq(chunk->body_bytes, 10 * (JOURNAL_CHUNK_SLOTS - 1));
    message_unref(&out);
    ck_assert_uint_eq(chunk_drop_messages(chunk),
                      message_memory(message) * (JOURNAL_CHUNK_SLOTS - 1));
    chunk->state = CHUNK_STORED;
    ck_assert_ptr_null(chunk_remove(chunk, 5, 10));
    ck_assert_uint_eq(chunk->body_bytes, 10 * (JOURNAL_CHUNK_SLOTS - 2));
    chunk_fill(chunk, 300, message_ref(message), 9);
    ck_assert_ptr_eq(chunk_message(chunk, 300), message);
    ck_assert_uint_eq(chunk_expires(chunk, 300), 9);
    ck_assert_uint_eq(chunk_expires(chunk, 299), 0);
    chunk_free(&chunk);
    ck_assert_uint_eq(atomic_load(&message->refs), 1);
    message_unref(&message);
}
END_TEST

START_TEST(stays_small_while_it_keeps_running_empty)
{
    struct chunk *chunk = chunk_new(NULL, 7);
    struct message *message = make(1), *out;
    for (unsigned i = 0; i < JOURNAL_CHUNK_SLOTS; i++) {
        unsigned slot = chunk_add(chunk, message, 0);
        ck_assert_uint_eq(slot, i);
        ck_assert_uint_le(chunk->room, 16);
        out = chunk_remove(chunk, slot, 1);
        message_unref(&out);
        chunk_rest(chunk);
    }
    ck_assert(chunk_full(chunk));
    chunk_free(&chunk);
    message_unref(&message);
}
END_TEST

START_TEST(closes_early_when_its_bodies_are_large)
{
    struct chunk *chunk = chunk_new(NULL, 7);
    struct message *message = make(0);
    message->body_bytes = CHUNK_BYTES_MAX; /* the body itself is not needed */
    message->body_filled = CHUNK_BYTES_MAX;
    chunk_add(chunk, message, 0);
    ck_assert(chunk_full(chunk));
    chunk_free(&chunk);
    message_unref(&message);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("chunk");
    TCase *tests = tcase_create("chunk");
    tcase_add_test(tests, finds_bits);
    tcase_add_test(tests, holds_a_whole_chunk);
    tcase_add_test(tests, stays_small_while_it_keeps_running_empty);
    tcase_add_test(tests, closes_early_when_its_bodies_are_large);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
