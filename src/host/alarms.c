/* The account of memory and the alarms "memory" and "disk".
 *
 * Normal course: the main loop looks at the resident set and the disk every WATCH_INTERVAL_MS;
 * workers that have told the account of growth call node_weigh_memory, which compares one sum. An
 * alarm that comes or goes makes every vhost weigh its gate anew. What can go wrong: a burst
 * between two looks: the account knows of it before the system does, and raises the alarm from the
 * worker that saw it; the main loop is busy: the same. Only the look on the main loop ends an
 * alarm, when the resident set and the account's sum are both below the watermark. */
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"
#include "leveret/wire/table.h"
#include "node_internal.h"

#define WATCH_INTERVAL_MS 500u

struct alarms {
    struct alarms_options options;
    struct account *account;
    struct timer *watch; /* NULL until alarms_watch */
    atomic_bool memory, disk;
    atomic_uint unwritable;                      /* vhosts whose journals cannot write */
    atomic_ullong memory_bytes, disk_free_bytes; /* as last looked at */
    atomic_ullong memory_bytes_max, disk_free_bytes_min;
    uint64_t excess_bytes; /* resident and not in the account: the least since memory was given back
                            */
    uint64_t rests_until_ms; /* when memory is given back again at the earliest */
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

/* Returns whether the alarm has changed. */
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
 * The allocator keeps what is freed between what is in use. How much that is is not asked, since
 * counting it walks all free pieces: what is resident and not in the account grows when much has
 * been freed. Giving back holds the allocator's locks for some 0.2 ms a MiB, so it is done in small
 * portions, and rests ten times as long as it took. */

#define EXCESS_BYTES     (32u << 20) /* more of it since the last time is worth giving back */
#define REST_FACTOR      10u
#define LOOK_INTERVAL_MS 100u /* while it grows, in place of WATCH_INTERVAL_MS */

static uint64_t excess_bytes(const struct alarms *alarms, uint64_t resident_bytes)
{
    uint64_t counted = account_total_bytes(alarms->account);
    return resident_bytes > counted ? resident_bytes - counted : 0;
}

/* now: as of this look, brought up to date. above_max: memory is short, so that less is worth it.
 */
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

/* The account's sum is above the watermark, and what is resident does not gainsay it: a message in
 * many queues is counted in each, but held once. */
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
    /* What was freed and not given back is not in use. */
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
