/* Part of the node: the account of memory, and the alarms "memory" and "disk". See alarms.h and
 * leveret/host/node.h.
 *
 * Normal course: the main loop looks at the resident set and the disk every WATCH_INTERVAL_MS. A
 * worker that has told the account of growth calls node_weigh_memory, which compares one sum. When
 * an alarm comes or goes, every vhost weighs its gate anew.
 *
 * What can go wrong: memory grows between two looks, or the main loop is busy. The account knows of
 * the growth before the system shows it, and the worker that sees it raises the alarm. Only the
 * look on the main loop ends an alarm: when the resident set and the account's sum are both below
 * the watermark. */
#include "alarms.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"
#include "leveret/wire/table.h"
#include "node_internal.h"
#include "resources.h"

/* Milliseconds between two looks at memory and disk. */
#define WATCH_INTERVAL_MS 500u

struct alarms {
    struct alarms_options options;
    struct account *account;
    struct timer *watch;                         /* NULL until alarms_watch */
    atomic_bool memory, disk;                    /* the alarm is on */
    atomic_uint unwritable;                      /* vhosts whose journals cannot write */
    atomic_ullong memory_bytes, disk_free_bytes; /* at the last look */
    atomic_ullong memory_bytes_max, disk_free_bytes_min;
    uint64_t excess_bytes;   /* resident and not in the account: the lowest value since memory was
                                given back */
    uint64_t rests_until_ms; /* memory is not given back again before this time */
};

static uint64_t budget(uint64_t memory_bytes_max)
{
    return memory_bytes_max > NODE_BUDGET_BYTES_MIN ? memory_bytes_max : NODE_BUDGET_BYTES_MIN;
}

struct alarms *alarms_new(const struct alarms_options *options)
{
    struct alarms *alarms = mem_need(sizeof *alarms);
    alarms->options = *options;
    alarms->account = account_new(budget(options->memory_bytes_max));
    atomic_init(&alarms->memory_bytes_max, options->memory_bytes_max);
    atomic_init(&alarms->disk_free_bytes_min, options->disk_free_bytes_min);
    return alarms;
}

void alarms_stop(struct alarms *alarms)
{
    if (alarms->watch)
        timer_free(&alarms->watch);
}

void alarms_free(struct alarms **alarms)
{
    account_free(&(*alarms)->account);
    free(*alarms);
    *alarms = NULL;
}

struct account *alarms_account(const struct alarms *alarms)
{
    return alarms->account;
}

/* ---- Telling. */

const char *node_alarm_text(const struct node *node, bool *memory)
{
    const struct alarms *alarms = node_alarms_of(node);
    bool disk = atomic_load(&alarms->disk);
    *memory = atomic_load(&alarms->memory);
    if (*memory)
        return disk ? "low on memory & disk" : "low on memory";
    return disk ? "low on disk" : NULL;
}

static void weigh_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct home *home;
    memcpy(&home, letter, sizeof home);
    if (receiver)
        home_weigh_gate(home);
}

static void post_weigh(struct home *home)
{
    loop_post(home->owner, weigh_letter, &home, sizeof home);
}

static void announce(struct alarms *alarms, bool on, const char *what)
{
    struct text headers = {0};
    struct node *node = alarms->options.node;
    if (!node_watched(node))
        return;
    table_put_string(&headers, "source", bytes_of_text(what));
    table_put_string(&headers, "node", bytes_of_text(alarms->options.name));
    node_announce(node, ANNOUNCE_EVENT,
                  on ? BYTES_LITERAL("alarm.set") : BYTES_LITERAL("alarm.cleared"),
                  text_bytes(&headers), bytes_of("", 0));
    text_free(&headers);
}

/* Switches an alarm, tells everybody who listens, and returns whether it has changed. */
static bool set(struct alarms *alarms, atomic_bool *alarm, bool on, const char *what)
{
    if (atomic_exchange(alarm, on) == on)
        return false;
    announce(alarms, on, what);
    log_line(alarms->options.log, on ? LOG_WARNING : LOG_INFO, "alarm",
             on ? "low on %s: publishers are blocked" : "%s suffices again: publishers go on",
             what);
    return true;
}

void node_count_unwritable(struct node *node, int change)
{
    atomic_fetch_add(&node_alarms_of(node)->unwritable, (unsigned)change);
}

/* ---- Giving memory back to the system.
 *
 * The allocator keeps freed memory that lies between pieces in use. Asking it how much would make
 * it walk all free pieces. Instead the excess is watched: resident bytes that are not in the
 * account. It grows when much has been freed. Giving back holds the allocator's locks for about 0.2
 * ms for each MiB, so it is done in small portions. */

/* Memory is given back when the excess has grown by this many bytes since the last time. */
#define EXCESS_BYTES (32u << 20)
/* After giving back, it is not done again for this many times as long as it took. */
#define REST_FACTOR 10u
/* Milliseconds between two looks while the excess grows, in place of WATCH_INTERVAL_MS. */
#define LOOK_INTERVAL_MS 100u

static uint64_t excess_bytes(const struct alarms *alarms, uint64_t resident_bytes)
{
    uint64_t counted = account_total_bytes(alarms->account);
    return resident_bytes > counted ? resident_bytes - counted : 0;
}

/* Gives memory back if it is time to. *now is what this look has read, and is read again
 * afterwards. above_max: the resident set is above the watermark, so that any excess is worth
 * giving back. */
static void give_back(struct alarms *alarms, struct resources *now, bool above_max)
{
    uint64_t at_ms = clock_steady_ms();
    uint64_t excess = excess_bytes(alarms, now->memory_bytes);
    if (excess < alarms->excess_bytes)
        alarms->excess_bytes = excess;
    if (at_ms < alarms->rests_until_ms ||
        (!above_max && excess - alarms->excess_bytes < EXCESS_BYTES))
        return;
    uint64_t before = now->memory_bytes;
    malloc_trim(0);
    uint64_t took_ms = clock_steady_ms() - at_ms;
    resources_read(alarms->options.data_dir, now);
    alarms->excess_bytes = excess_bytes(alarms, now->memory_bytes);
    alarms->rests_until_ms = at_ms + WATCH_INTERVAL_MS / 4 + took_ms * REST_FACTOR;
    log_line(alarms->options.log, LOG_DEBUG, "memory", "%lld KiB given back in %llu ms",
             ((long long)before - (long long)now->memory_bytes) / 1024,
             (unsigned long long)took_ms);
}

static bool excess_grows(const struct alarms *alarms, const struct resources *now)
{
    return excess_bytes(alarms, now->memory_bytes) - alarms->excess_bytes >= EXCESS_BYTES / 4;
}

/* ---- Looking. */

static bool above(uint64_t bytes, uint64_t bytes_max)
{
    return bytes_max == 0 || bytes > bytes_max;
}

/* Whether the account's sum is above the watermark and the resident set is at least three quarters
 * of it. The sum alone does not prove that memory is short: a message in many queues is counted in
 * each but held once. */
static bool sum_above(const struct alarms *alarms, uint64_t resident_bytes,
                      uint64_t memory_bytes_max)
{
    return above(account_total_bytes(alarms->account), memory_bytes_max) &&
           resident_bytes >= memory_bytes_max / 4 * 3;
}

void node_weigh_memory(struct node *node)
{
    struct alarms *alarms = node_alarms_of(node);
    uint64_t memory_bytes_max = atomic_load(&alarms->memory_bytes_max);
    if (atomic_load_explicit(&alarms->memory, memory_order_relaxed) ||
        !above(account_total_bytes(alarms->account), memory_bytes_max))
        return;
    struct resources now;
    resources_read(NULL, &now);
    if (!sum_above(alarms, now.memory_bytes, memory_bytes_max))
        return;
    if (set(alarms, &alarms->memory, true, "memory"))
        node_each_home(node, post_weigh);
}

static void look(void *context)
{
    struct alarms *alarms = context;
    const char *data_dir = alarms->options.data_dir;
    uint64_t memory_bytes_max = atomic_load(&alarms->memory_bytes_max);
    struct resources now;
    resources_read(data_dir, &now);
    /* Freed memory that the allocator keeps is not in use: it must not raise the alarm. */
    give_back(alarms, &now, above(now.memory_bytes, memory_bytes_max));
    atomic_store(&alarms->memory_bytes, now.memory_bytes);
    atomic_store(&alarms->disk_free_bytes, now.disk_free_bytes);
    bool memory = above(now.memory_bytes, memory_bytes_max) ||
                  sum_above(alarms, now.memory_bytes, memory_bytes_max);
    bool disk = now.disk_free_bytes < atomic_load(&alarms->disk_free_bytes_min);
    bool changed = set(alarms, &alarms->memory, memory, "memory");
    changed |= set(alarms, &alarms->disk, disk, "disk");
    if (changed)
        node_each_home(alarms->options.node, post_weigh);
    timer_set(alarms->watch, excess_grows(alarms, &now) ? LOOK_INTERVAL_MS : WATCH_INTERVAL_MS);
}

void alarms_set_limits(struct alarms *alarms, uint64_t memory_bytes_max,
                       uint64_t disk_free_bytes_min)
{
    atomic_store(&alarms->memory_bytes_max, memory_bytes_max);
    atomic_store(&alarms->disk_free_bytes_min, disk_free_bytes_min);
    account_set_budget(alarms->account, budget(memory_bytes_max));
    if (alarms->watch)
        look(alarms);
}

void alarms_watch(struct alarms *alarms, struct loop *main_loop)
{
    alarms->watch = timer_new(main_loop, look, alarms);
    look(alarms);
}

void node_alarms(const struct node *node, struct node_alarms *out)
{
    const struct alarms *alarms = node_alarms_of(node);
    unsigned unwritable = atomic_load(&alarms->unwritable);
    *out = (struct node_alarms){
        .memory = atomic_load(&alarms->memory),
        .disk = atomic_load(&alarms->disk) || unwritable > 0,
        .unwritable_vhosts = unwritable,
        .memory_bytes = atomic_load(&alarms->memory_bytes),
        .memory_bytes_max = atomic_load(&alarms->memory_bytes_max),
        .disk_free_bytes = atomic_load(&alarms->disk_free_bytes),
        .disk_free_bytes_min = atomic_load(&alarms->disk_free_bytes_min),
    };
}
