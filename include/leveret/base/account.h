/* The account of memory: how many bytes outsiders make this process hold, counted by kind.
 *
 * One account belongs to the node and is handed to whatever holds memory for clients. A kind has a
 * limit of its own, a share of the whole budget; ACCOUNT_KINDS is the one place where these limits
 * stand. Code that fills a kind either asks first (account_take) and refuses its client in plain
 * words when the answer is no, or adds what it holds without asking (account_add) because another
 * bound stops the growth (a gate, a window). The sum of all kinds is known at once, long before the
 * system shows it as resident memory, so that alarms can act before the budget is passed.
 *
 * The account counts the bytes that are asked of the allocator, not those that the allocator takes.
 *
 * Thread: any; counters are relaxed atomics, so a reader may see a value that is a moment old. Hot
 * paths add once for each turn of the loop, not once for each message. */
#ifndef LEVERET_BASE_ACCOUNT_H
#define LEVERET_BASE_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ENUM, name in the API, share of the budget in thousandths (1000: the kind may use all of it),
 * what the kind counts. */
#define ACCOUNT_KINDS(X)                                                                           \
    X(READERS, "connection_readers", 250, "bytes read and not yet handed out")                     \
    X(CONTENTS, "connection_contents", 500, "published messages that have come in part")           \
    X(WRITERS, "connection_writers", 500, "bytes queued for clients that have not left")           \
    X(CONNECTIONS, "connection_other", 500, "connections, their channels and names")               \
    X(HTTP_REQUESTS, "http_requests", 250, "requests: headers, bodies, what they are parsed into") \
    X(HTTP_ANSWERS, "http_answers", 250, "answers that have not left")                             \
    X(MESSAGES, "messages", 1000, "messages in queues, delayed and dead letters among them")       \
    X(TRANSACTIONS, "transactions", 500, "messages and acks of open transactions")                 \
    X(CONSUMERS, "consumers", 250, "consumers and their arguments")                                \
    X(BINDINGS, "bindings", 500, "bindings, their keys and arguments")                             \
    X(HASH_RINGS, "hash_rings", 125, "places on the rings of consistent-hash exchanges")           \
    X(DEFINITIONS, "definitions", 500, "queues, exchanges and policies, their arguments")          \
    X(DEDUPLICATION, "deduplication", 250, "identifiers of messages that came before")             \
    X(HISTORY, "recent_history", 125, "messages that exchanges keep for queues to come")           \
    X(SAMPLES, "management_history", 1000, "samples of numbers, for rates and history")

enum account_kind {
#define X(kind, name, share, what) ACCOUNT_##kind,
    ACCOUNT_KINDS(X)
#undef X
        ACCOUNT_KIND_COUNT
};

struct account;

/* budget_bytes: the memory watermark, which the sum of all kinds should stay below; kinds take
 * their limits from it. Never returns NULL. */
struct account *account_new(uint64_t budget_bytes);
void account_free(struct account **account);

/* Sets the budget from now on. Bytes that are held already stay counted, even above the
 * new limits. */
void account_set_budget(struct account *account, uint64_t budget_bytes);
uint64_t account_budget_bytes(const struct account *account);

/* Counts bytes that the caller holds whether or not the limit allows it. Negative bytes were given
 * back. account may be NULL: nothing is counted. */
void account_add(struct account *account, enum account_kind kind, int64_t bytes);
/* For a thread that counts by itself and tells the account once a turn: adds the difference between
 * held_bytes and *told_bytes, and sets *told_bytes to held_bytes. account may be NULL. */
void account_tell(struct account *account, enum account_kind kind, uint64_t *told_bytes,
                  uint64_t held_bytes);
/* Counts bytes and returns true if the kind stays within its limit; otherwise counts nothing and
 * returns false. Give them back with account_add(…, -bytes). account may be NULL: always true. */
bool account_take(struct account *account, enum account_kind kind, uint64_t bytes)
    __attribute__((warn_unused_result));

/* The bytes that are held of a kind, and of all kinds. */
uint64_t account_bytes(const struct account *account, enum account_kind kind);
uint64_t account_total_bytes(const struct account *account);
/* The kind's limit: its share of the budget. */
uint64_t account_limit_bytes(const struct account *account, enum account_kind kind);

/* The name that the API and metrics show: "connection_readers". */
const char *account_kind_name(enum account_kind kind);

#endif
