/* Log-in attempts.
 *
 * Normal course: attempts_allowed before a password is looked at, attempts_count after. There are
 * three tables of sets of eight places, with a hash that clients cannot predict: levels of pairs,
 * levels of addresses, sources. What can go wrong: a set is full: the lowest level, or the source
 * that was seen longest ago, makes room. So a flood of made-up names replaces its own entries, and
 * not that of the pair that is under attack. */
#include "leveret/auth/attempts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

/* A table consists of sets of SET places. KEY_BYTES_MAX: bytes of address and user name that are
 * hashed; the rest of a longer name is not. */
#define SET           8u
#define PAIR_SETS     512u
#define ADDRESS_SETS  128u
#define SOURCE_SETS   (ATTEMPTS_SOURCES_MAX / SET)
#define ADDRESS_DRAIN (60u * ATTEMPTS_ADDRESS_DRAIN) /* in a minute */
#define LEVEL_ONE     1000u                          /* a level rises by this with each failure */
#define KEY_BYTES_MAX 512u

struct level {
    uint64_t hash; /* 0: free */
    uint64_t at_ms;
    uint64_t value; /* as of at_ms, in thousandths of a failure */
};

struct source {
    uint64_t hash; /* 0: free */
    uint64_t at_ms;
    struct attempts_source facts;
};

struct attempts {
    pthread_mutex_t lock;
    uint64_t pair_drain; /* failures by which a pair's level falls in a minute; 0: never late */
    struct level pairs[PAIR_SETS * SET], addresses[ADDRESS_SETS * SET];
    struct source sources[SOURCE_SETS * SET];
    struct attempts_counts totals[ATTEMPT_PROTOCOLS];
};

static const char *const protocol_names[ATTEMPT_PROTOCOLS] = {
    [ATTEMPT_AMQP] = "amqp091",
    [ATTEMPT_HTTP] = "http",
};

const char *attempts_protocol_name(enum attempt_protocol protocol)
{
    CHECK(protocol < ATTEMPT_PROTOCOLS);
    return protocol_names[protocol];
}

struct attempts *attempts_new(void)
{
    struct attempts *attempts = mem_need(sizeof *attempts);
    CHECK(pthread_mutex_init(&attempts->lock, NULL) == 0);
    attempts->pair_drain = 60 * ATTEMPTS_PAIR_DRAIN;
    return attempts;
}

void attempts_set_rate(struct attempts *attempts, unsigned per_minute)
{
    attempts->pair_drain = per_minute;
}

void attempts_free(struct attempts **attempts)
{
    if (!*attempts)
        return;
    pthread_mutex_destroy(&(*attempts)->lock);
    free(*attempts);
    *attempts = NULL;
}

/* ---- Levels. */

/* The hash of address and user, or with user NULL of the address alone; never 0. */
static uint64_t hash_of(const struct attempt *attempt, const struct bytes *user)
{
    char key[KEY_BYTES_MAX];
    int len = snprintf(key, sizeof key, "%s", attempt->address);
    size_t at = (size_t)len + 1;
    if (user) {
        size_t room = sizeof key - at, n = user->len < room ? user->len : room;
        memcpy(key + at, user->at, n);
        at += n;
    }
    uint64_t hash = map_hash(bytes_of(key, at));
    return hash ? hash : 1;
}

static uint64_t value_now(const struct level *level, uint64_t now_ms, uint64_t drain)
{
    uint64_t gone = now_ms > level->at_ms ? (now_ms - level->at_ms) * drain * LEVEL_ONE / 60000 : 0;
    return level->value > gone ? level->value - gone : 0;
}

static struct level *set_of(struct level *table, size_t sets, uint64_t hash)
{
    return &table[hash % sets * SET];
}

/* The present level of a hash, in failures, rounded up. */
static uint64_t level_of(struct level *set, uint64_t hash, uint64_t now_ms, uint64_t drain)
{
    for (size_t i = 0; i < SET; i++)
        if (set[i].hash == hash)
            return (value_now(&set[i], now_ms, drain) + LEVEL_ONE - 1) / LEVEL_ONE;
    return 0;
}

/* The place of a hash in its set; when it has none, a free place or the one with the
 * lowest level. */
static struct level *place_of(struct level *set, uint64_t hash, uint64_t now_ms, uint64_t drain)
{
    struct level *lowest = set;
    for (size_t i = 0; i < SET; i++) {
        if (set[i].hash == hash)
            return &set[i];
        if (value_now(&set[i], now_ms, drain) < value_now(lowest, now_ms, drain))
            lowest = &set[i];
    }
    *lowest = (struct level){.hash = hash, .at_ms = now_ms};
    return lowest;
}

/* Adds one failure, up to max; returns the new level, in failures. */
static uint64_t raise_level(struct level *set, uint64_t hash, uint64_t now_ms, uint64_t drain,
                            uint64_t max)
{
    struct level *level = place_of(set, hash, now_ms, drain);
    level->value = value_now(level, now_ms, drain) + LEVEL_ONE;
    if (level->value > max * LEVEL_ONE)
        level->value = max * LEVEL_ONE;
    level->at_ms = now_ms;
    return level->value / LEVEL_ONE;
}

static void forget_level(struct level *set, uint64_t hash)
{
    for (size_t i = 0; i < SET; i++)
        if (set[i].hash == hash)
            set[i] = (struct level){0};
}

/* ---- Sources. */

static struct source *source_of(struct attempts *attempts, const struct attempt *attempt,
                                uint64_t pair)
{
    uint64_t hash = pair * ATTEMPT_PROTOCOLS + attempt->protocol + 1;
    struct source *set = &attempts->sources[pair % SOURCE_SETS * SET], *oldest = set;
    for (size_t i = 0; i < SET; i++) {
        if (set[i].hash == hash)
            return &set[i];
        bool is_older = set[i].at_ms < oldest->at_ms || !set[i].hash;
        if (oldest->hash && is_older)
            oldest = &set[i];
    }
    size_t len = attempt->user.len;
    *oldest = (struct source){.hash = hash, .facts.protocol = attempt->protocol};
    oldest->facts.user_len = len < ATTEMPTS_USER_BYTES ? len : ATTEMPTS_USER_BYTES;
    memcpy(oldest->facts.user, attempt->user.at, oldest->facts.user_len);
    snprintf(oldest->facts.address, sizeof oldest->facts.address, "%s", attempt->address);
    return oldest;
}

static void add(struct attempts_counts *counts, bool good)
{
    counts->all++;
    counts->failed += !good;
}

/* ---- The contract. */

bool attempts_allowed(struct attempts *attempts, const struct attempt *attempt)
{
    uint64_t pair = hash_of(attempt, &attempt->user);
    pthread_mutex_lock(&attempts->lock);
    uint64_t level = level_of(set_of(attempts->pairs, PAIR_SETS, pair), pair, attempt->now_ms,
                              attempts->pair_drain);
    pthread_mutex_unlock(&attempts->lock);
    return level < ATTEMPTS_PAIR_REFUSED || !attempts->pair_drain;
}

/* Raises the levels for a failure; returns the delay of its answer, in milliseconds. */
static uint32_t fail(struct attempts *attempts, const struct attempt *attempt, uint64_t pair,
                     bool *tell)
{
    uint64_t address = hash_of(attempt, NULL), now = attempt->now_ms;
    struct level *pairs = set_of(attempts->pairs, PAIR_SETS, pair);
    struct level *addresses = set_of(attempts->addresses, ADDRESS_SETS, address);
    uint64_t before = level_of(addresses, address, now, ADDRESS_DRAIN);
    uint64_t of_pair = raise_level(pairs, pair, now, attempts->pair_drain, ATTEMPTS_PAIR_REFUSED);
    uint64_t of_address =
        raise_level(addresses, address, now, ADDRESS_DRAIN, ATTEMPTS_ADDRESS_LEVEL_MAX);
    *tell = before < ATTEMPTS_ADDRESS_LEVEL_MAX - 1;
    bool late = of_pair > ATTEMPTS_PAIR_LATE || of_address > ATTEMPTS_ADDRESS_LATE;
    return late && attempts->pair_drain ? ATTEMPTS_LATE_MS : 0;
}

uint32_t attempts_count(struct attempts *attempts, const struct attempt *attempt, bool allowed,
                        bool good, bool *tell)
{
    uint64_t pair = hash_of(attempt, &attempt->user);
    uint32_t late_ms = 0;
    *tell = true;
    pthread_mutex_lock(&attempts->lock);
    struct source *source = source_of(attempts, attempt, pair);
    source->at_ms = attempt->now_ms;
    add(&source->facts.counts, good);
    add(&attempts->totals[attempt->protocol], good);
    if (good)
        forget_level(set_of(attempts->pairs, PAIR_SETS, pair), pair);
    else if (allowed)
        late_ms = fail(attempts, attempt, pair, tell);
    else
        late_ms = ATTEMPTS_LATE_MS; /* no level rises, so that the lock-out ends by itself */
    if (!good && !allowed)
        *tell = false;
    pthread_mutex_unlock(&attempts->lock);
    return late_ms;
}

void attempts_totals(struct attempts *attempts, enum attempt_protocol protocol,
                     struct attempts_counts *out)
{
    pthread_mutex_lock(&attempts->lock);
    *out = attempts->totals[protocol];
    pthread_mutex_unlock(&attempts->lock);
}

struct attempts_source *attempts_sources(struct attempts *attempts, size_t *count)
{
    struct attempts_source *out = mem_need_array(NULL, ATTEMPTS_SOURCES_MAX, sizeof *out);
    *count = 0;
    pthread_mutex_lock(&attempts->lock);
    for (size_t i = 0; i < ATTEMPTS_SOURCES_MAX; i++)
        if (attempts->sources[i].hash)
            out[(*count)++] = attempts->sources[i].facts;
    pthread_mutex_unlock(&attempts->lock);
    return out;
}

void attempts_reset(struct attempts *attempts)
{
    pthread_mutex_lock(&attempts->lock);
    memset(attempts->sources, 0, sizeof attempts->sources);
    memset(attempts->totals, 0, sizeof attempts->totals);
    pthread_mutex_unlock(&attempts->lock);
}
