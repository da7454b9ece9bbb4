/* The account of memory. Each counter has a cache line of its own, so that workers do not slow each
 * other down. */
#include "leveret/base/account.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

#define CACHE_LINE_BYTES 64
#define SHARE_WHOLE      1000u

static const struct {
    const char *name;
    unsigned share;
} kinds[ACCOUNT_KIND_COUNT] = {
#define X(kind, name, share, what) [ACCOUNT_##kind] = {name, share},
    ACCOUNT_KINDS(X)
#undef X
};

struct counter {
    _Atomic int64_t bytes;
    char apart[CACHE_LINE_BYTES - sizeof(int64_t)];
};

struct account {
    _Atomic uint64_t budget_bytes;
    char apart[CACHE_LINE_BYTES - sizeof(uint64_t)];
    struct counter counters[ACCOUNT_KIND_COUNT];
};

struct account *account_new(uint64_t budget_bytes)
{
    struct account *account = mem_need(sizeof *account);
    account_set_budget(account, budget_bytes);
    return account;
}

void account_free(struct account **account)
{
    free(*account);
    *account = NULL;
}

void account_set_budget(struct account *account, uint64_t budget_bytes)
{
    atomic_store_explicit(&account->budget_bytes, budget_bytes, memory_order_relaxed);
}

uint64_t account_budget_bytes(const struct account *account)
{
    return atomic_load_explicit(&account->budget_bytes, memory_order_relaxed);
}

void account_add(struct account *account, enum account_kind kind, int64_t bytes)
{
    if (account && bytes)
        atomic_fetch_add_explicit(&account->counters[kind].bytes, bytes, memory_order_relaxed);
}

void account_tell(struct account *account, enum account_kind kind, uint64_t *told_bytes,
                  uint64_t held_bytes)
{
    account_add(account, kind, (int64_t)(held_bytes - *told_bytes));
    *told_bytes = held_bytes;
}

bool account_take(struct account *account, enum account_kind kind, uint64_t bytes)
{
    if (!account)
        return true;
    uint64_t limit = account_limit_bytes(account, kind);
    if (bytes > limit)
        return false;
    _Atomic int64_t *counter = &account->counters[kind].bytes;
    int64_t held = atomic_fetch_add_explicit(counter, (int64_t)bytes, memory_order_relaxed);
    if (held <= 0 || (uint64_t)held <= limit - bytes)
        return true;
    atomic_fetch_sub_explicit(counter, (int64_t)bytes, memory_order_relaxed);
    return false;
}

uint64_t account_bytes(const struct account *account, enum account_kind kind)
{
    /* The sum may be negative for a moment: a reader can see one thread give bytes back before it
     * sees another thread take them. */
    int64_t held = atomic_load_explicit(&account->counters[kind].bytes, memory_order_relaxed);
    return held > 0 ? (uint64_t)held : 0;
}

uint64_t account_total_bytes(const struct account *account)
{
    uint64_t total = 0;
    for (unsigned kind = 0; kind < ACCOUNT_KIND_COUNT; kind++)
        total += account_bytes(account, (enum account_kind)kind);
    return total;
}

uint64_t account_limit_bytes(const struct account *account, enum account_kind kind)
{
    uint64_t budget = account_budget_bytes(account);
    uint64_t limit = budget / SHARE_WHOLE * kinds[kind].share +
                     budget % SHARE_WHOLE * kinds[kind].share / SHARE_WHOLE;
    return limit < INT64_MAX ? limit : INT64_MAX;
}

const char *account_kind_name(enum account_kind kind)
{
    CHECK(kind < ACCOUNT_KIND_COUNT);
    return kinds[kind].name;
}
