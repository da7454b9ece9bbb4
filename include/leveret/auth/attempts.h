/* Counts log-in attempts by their source, and says when there are too many. The tables have a fixed
 * size; the oldest and least important entries make room for new ones.
 *
 * Each failure raises two levels by one, and both fall with time: the level of the pair of address
 * and user, and the level of the address alone. Above ATTEMPTS_PAIR_LATE or ATTEMPTS_ADDRESS_LATE a
 * failure is answered late. Above ATTEMPTS_PAIR_REFUSED the pair's attempts are refused without
 * looking at the password. An address alone is never refused: an attacker who tries many made-up
 * names from it gets slow answers, but cannot lock out users who log in from the same address with
 * the right password.
 *
 * Thread: any; a lock is held for the length of a call. */
#ifndef LEVERET_AUTH_ATTEMPTS_H
#define LEVERET_AUTH_ATTEMPTS_H

#include "leveret/base/bytes.h"

/* Levels, in failures, above which answers are late or attempts are refused, and by how many
 * failures a level falls in a second. A burst of fifty mistakes, or five a second without end, is
 * not taken for an attack. */
#define ATTEMPTS_PAIR_LATE         50u
#define ATTEMPTS_PAIR_REFUSED      100u
#define ATTEMPTS_PAIR_DRAIN        5u
#define ATTEMPTS_ADDRESS_LATE      200u
#define ATTEMPTS_ADDRESS_LEVEL_MAX 400u
#define ATTEMPTS_ADDRESS_DRAIN     20u
/* The delay of a late answer, in milliseconds. */
#define ATTEMPTS_LATE_MS 1000u
/* The number of sources kept for auth/attempts/…/source; beyond it the oldest are forgotten. A user
 * name longer than ATTEMPTS_USER_BYTES is cut there. */
#define ATTEMPTS_SOURCES_MAX 10000u
#define ATTEMPTS_USER_BYTES  96u

enum attempt_protocol { ATTEMPT_AMQP, ATTEMPT_HTTP, ATTEMPT_PROTOCOLS };

struct attempts;

struct attempt {
    enum attempt_protocol protocol;
    const char *address; /* the client's address, without port */
    struct bytes user;
    uint64_t now_ms; /* steady milliseconds */
};

struct attempts_counts {
    uint64_t all, failed;
};

struct attempts *attempts_new(void); /* never NULL */
/* The failures by which the level of a pair of address and user falls in a minute, at first
 * ATTEMPTS_PAIR_DRAIN a second: so many on average are answered at once. 0: no answer is late and
 * no attempt is refused. Call it before others use the attempts. */
void attempts_set_rate(struct attempts *attempts, unsigned per_minute);
void attempts_free(struct attempts **attempts);

/* Returns false when this pair has failed too often; its password must then not be checked. */
bool attempts_allowed(struct attempts *attempts, const struct attempt *attempt);
/* Counts an attempt, with good false when it was not allowed. Returns the milliseconds by which the
 * answer to a failure must be delayed. *tell is false when so many lines about this source have
 * been logged that this attempt should not be. */
uint32_t attempts_count(struct attempts *attempts, const struct attempt *attempt, bool allowed,
                        bool good, bool *tell);

void attempts_totals(struct attempts *attempts, enum attempt_protocol protocol,
                     struct attempts_counts *out);
/* The name that RabbitMQ's API uses: "amqp091", "http". */
const char *attempts_protocol_name(enum attempt_protocol protocol);

struct attempts_source {
    enum attempt_protocol protocol;
    char address[64];
    char user[ATTEMPTS_USER_BYTES];
    size_t user_len;
    struct attempts_counts counts;
};
/* A copy of the *count sources that are kept; the caller frees it. */
struct attempts_source *attempts_sources(struct attempts *attempts, size_t *count);

/* Forgets totals and sources, for the API's DELETE. Levels stay. */
void attempts_reset(struct attempts *attempts);

#endif
