/* Log-in attempts: how many there were, from where, and which are too many. A table of fixed size;
 * what is oldest and matters least makes room.
 *
 * Two levels rise by one with each failure and fall with time: that of the pair of address and
 * user, and that of the address alone. Above ATTEMPTS_PAIR_LATE or ATTEMPTS_ADDRESS_LATE a failure
 * is answered late. Above ATTEMPTS_PAIR_REFUSED the pair's attempts are refused without looking at
 * the password. An address alone is never refused: whoever floods it with names that he makes up
 * slows down answers to himself, and locks nobody out who comes from there with a password that is
 * right.
 *
 * Thread: any; a lock is held for the length of a call. */
#ifndef LEVERET_AUTH_ATTEMPTS_H
#define LEVERET_AUTH_ATTEMPTS_H

#include "leveret/base/bytes.h"

/* Failures above which answers are late, or attempts refused; and how many are forgotten a second.
 * A burst of fifty mistakes, or five a second for ever, is nobody's attack. */
#define ATTEMPTS_PAIR_LATE         50u
#define ATTEMPTS_PAIR_REFUSED      100u
#define ATTEMPTS_PAIR_DRAIN        5u
#define ATTEMPTS_ADDRESS_LATE      200u
#define ATTEMPTS_ADDRESS_LEVEL_MAX 400u
#define ATTEMPTS_ADDRESS_DRAIN     20u
/* By how much a late answer is late. */
#define ATTEMPTS_LATE_MS 1000u
/* Sources that are remembered for auth/attempts/…/source; a longer user name is cut. */
#define ATTEMPTS_SOURCES_MAX 1024u
#define ATTEMPTS_USER_BYTES  96u

enum attempt_protocol { ATTEMPT_AMQP, ATTEMPT_HTTP, ATTEMPT_PROTOCOLS };

struct attempts;

struct attempt {
    enum attempt_protocol protocol;
    const char *address; /* the peer's, without port */
    struct bytes user;
    uint64_t now_ms; /* steady */
};

struct attempts_counts {
    uint64_t all, failed;
};

struct attempts *attempts_new(void); /* never NULL */
void attempts_free(struct attempts **attempts);

/* False: this pair has failed too often, and its password is not to be looked at. */
bool attempts_allowed(struct attempts *attempts, const struct attempt *attempt);
/* Counts an attempt that was allowed, or one that was not (good false, allowed false). Returns by
 * how many milliseconds the answer to a failure has to be late. *tell is false when so many lines
 * about this source have been logged that one more tells nothing. */
uint32_t attempts_count(struct attempts *attempts, const struct attempt *attempt, bool allowed,
                        bool good, bool *tell);

void attempts_totals(struct attempts *attempts, enum attempt_protocol protocol,
                     struct attempts_counts *out);
/* "amqp091", "http": as RabbitMQ's API names them. */
const char *attempts_protocol_name(enum attempt_protocol protocol);

struct attempts_source {
    enum attempt_protocol protocol;
    char address[64];
    char user[ATTEMPTS_USER_BYTES];
    size_t user_len;
    struct attempts_counts counts;
};
/* A copy of the sources that are remembered, to be freed; *count of them. */
struct attempts_source *attempts_sources(struct attempts *attempts, size_t *count);

/* Forgets totals and sources: what the API's DELETE does. Levels stay. */
void attempts_reset(struct attempts *attempts);

#endif
