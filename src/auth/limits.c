/* Limits and seats: see limits.h.
 *
 * A holder is a vhost or user that has a limit or a connection. It is made with the first of them
 * and freed with the last, under the lock. Channels are counted without the lock: a connection that
 * counts them has a seat, which keeps the holder. */
#include "leveret/auth/limits.h"

#include <stdlib.h>

#include "auth_record.h"
#include "directory.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "staged.h"

static const char *const names[][LIMITS_EACH] = {
    [LIMITED_VHOST] = {"max-connections", "max-queues"},
    [LIMITED_USER] = {"max-connections", "max-channels"},
};
static const char *const prefixes[] = {
    [LIMITED_VHOST] = AUTH_RECORD_KEY_VHOST_LIMITS,
    [LIMITED_USER] = AUTH_RECORD_KEY_USER_LIMITS,
};

const char *limit_name(enum limited limited, unsigned index)
{
    return names[limited][index];
}

/* ---- Holders, under the lock. */

static void lock(struct auth *auth)
{
    CHECK(pthread_mutex_lock(&auth->limits_lock) == 0);
}

static void unlock(struct auth *auth)
{
    CHECK(pthread_mutex_unlock(&auth->limits_lock) == 0);
}

static struct limit_holder *hold(struct auth *auth, enum limited limited, struct bytes name)
{
    struct limit_holder *holder = map_get(&auth->holders[limited], name);
    if (holder)
        return holder;
    holder = mem_need(sizeof *holder);
    holder->name = mem_need_text(name.at, name.len);
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        holder->max[i] = LIMIT_NONE;
    map_put(&auth->holders[limited], bytes_of_text(holder->name), holder);
    return holder;
}

static bool is_limited(const struct limit_holder *holder)
{
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        if (holder->max[i] >= 0)
            return true;
    return false;
}

static void holder_free(struct limit_holder *holder)
{
    free(holder->name);
    free(holder);
}

static void let_go(struct auth *auth, enum limited limited, struct limit_holder *holder)
{
    if (holder->connections || is_limited(holder))
        return;
    map_remove(&auth->holders[limited], bytes_of_text(holder->name));
    holder_free(holder);
}

void auth_limits_free(struct auth *auth)
{
    for (unsigned limited = 0; limited < 2; limited++) {
        struct limit_holder *holder;
        for (size_t at = 0; (holder = map_next(&auth->holders[limited], &at));)
            holder_free(holder);
        map_free(&auth->holders[limited]);
    }
    pthread_mutex_destroy(&auth->limits_lock);
}

/* ---- Limits. */

void auth_limits_set(struct auth *auth, enum limited limited, struct bytes name,
                     const int64_t max[LIMITS_EACH])
{
    lock(auth);
    struct limit_holder *holder = hold(auth, limited, name);
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        holder->max[i] = max[i] < 0 ? LIMIT_NONE : max[i];
    let_go(auth, limited, holder);
    unlock(auth);
}

enum status auth_limits_load(struct auth *auth, enum limited limited, struct bytes key,
                             struct bytes value)
{
    size_t skip = strlen(prefixes[limited]);
    struct auth_record_member members[LIMITS_EACH] = {{names[limited][0], NULL, LIMIT_NONE},
                                                      {names[limited][1], NULL, LIMIT_NONE}};
    enum status status = auth_record_read(value, members, LIMITS_EACH);
    if (status != STATUS_OK)
        return status;
    const int64_t max[LIMITS_EACH] = {members[0].number, members[1].number};
    auth_limits_set(auth, limited, bytes_of(key.at + skip, key.len - skip), max);
    return STATUS_OK;
}

static bool exists(const struct auth *auth, enum limited limited, struct bytes name)
{
    return staged_find(auth, limited == LIMITED_USER ? ENTRY_USER : ENTRY_VHOST, name);
}

/* Stages the record of the limits, or its removal when no limit is left. */
static enum status stage(struct auth *auth, enum limited limited, struct bytes name,
                         const int64_t max[LIMITS_EACH])
{
    bool some = false;
    struct text record = {0};
    struct auth_record_member members[LIMITS_EACH];
    for (unsigned i = 0; i < LIMITS_EACH; i++) {
        members[i] = (struct auth_record_member){names[limited][i], NULL, max[i]};
        some |= max[i] >= 0;
    }
    enum status status = some ? auth_record_write(members, LIMITS_EACH, &record) : STATUS_OK;
    if (status == STATUS_OK)
        staged_limits(auth, limited, name, prefixes[limited], max, some ? &record : NULL);
    return status;
}

static void current(struct auth *auth, enum limited limited, struct bytes name,
                    int64_t max[LIMITS_EACH])
{
    if (staged_find_limits(auth, limited, name, max))
        return;
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        max[i] = auth_limit(auth, limited, name, i);
}

bool auth_limit_known(enum limited limited, const char *limit)
{
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        if (strcmp(limit, names[limited][i]) == 0)
            return true;
    return false;
}

enum status auth_put_limit(struct auth *auth, enum limited limited, const char *name,
                           const char *limit, int64_t value)
{
    int64_t max[LIMITS_EACH];
    struct bytes holder = bytes_of_text(name);
    if (!exists(auth, limited, holder))
        return STATUS_NOT_FOUND;
    if (!auth_limit_known(limited, limit))
        return STATUS_MALFORMED;
    current(auth, limited, holder, max);
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        if (strcmp(limit, names[limited][i]) == 0)
            max[i] = value;
    enum status status = stage(auth, limited, holder, max);
    return status == STATUS_OK ? staged_end(auth) : status;
}

void auth_limits_stage_none(struct auth *auth, enum limited limited, struct bytes name)
{
    static const int64_t none[LIMITS_EACH] = {LIMIT_NONE, LIMIT_NONE};
    int64_t max[LIMITS_EACH];
    current(auth, limited, name, max);
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        if (max[i] >= 0) {
            staged_limits(auth, limited, name, prefixes[limited], none, NULL);
            return;
        }
}

enum status auth_clear_limits(struct auth *auth, enum limited limited, const char *holder)
{
    auth_limits_stage_none(auth, limited, bytes_of_text(holder));
    return staged_end(auth);
}

int64_t auth_limit(struct auth *auth, enum limited limited, struct bytes name, unsigned index)
{
    lock(auth);
    const struct limit_holder *holder = map_get(&auth->holders[limited], name);
    int64_t max = holder ? holder->max[index] : LIMIT_NONE;
    unlock(auth);
    return max;
}

void auth_each_limited(struct auth *auth, enum limited limited,
                       void (*each)(void *context, const char *holder,
                                    const int64_t max[LIMITS_EACH]),
                       void *context)
{
    struct limit_holder *holder;
    lock(auth);
    for (size_t at = 0; (holder = map_next(&auth->holders[limited], &at));) {
        const int64_t max[LIMITS_EACH] = {holder->max[0], holder->max[1]};
        if (is_limited(holder))
            each(context, holder->name, max);
    }
    unlock(auth);
}

/* ---- The node. */

static bool full(const struct limit_holder *holder)
{
    int64_t max = holder->max[LIMIT_CONNECTIONS];
    return max >= 0 && holder->connections >= (uint64_t)max;
}

void auth_set_node_limits(struct auth *auth, const struct node_limits *limits)
{
    lock(auth);
    auth->node.max[LIMIT_CONNECTIONS] = limits->connections;
    auth->node.max[LIMIT_CHANNELS] = limits->channels;
    auth->vhosts_max = limits->vhosts;
    unlock(auth);
}

bool auth_vhosts_full(const struct auth *auth, int64_t *max)
{
    *max = auth->vhosts_max;
    return *max >= 0 && auth->vhosts.count >= (uint64_t)*max;
}

bool auth_connections_full(const struct auth *auth, int64_t *max)
{
    struct auth *locked = (struct auth *)auth;
    lock(locked);
    *max = auth->node.max[LIMIT_CONNECTIONS];
    bool is_full = full(&auth->node);
    unlock(locked);
    return is_full;
}

/* ---- Seats. */

enum status seat_take(struct auth *auth, struct bytes user, struct bytes vhost, struct seat *out,
                      enum limited *reached, int64_t *max)
{
    enum status status = STATUS_OK;
    lock(auth);
    struct limit_holder *of_vhost = hold(auth, LIMITED_VHOST, vhost),
                        *of_user = hold(auth, LIMITED_USER, user);
    const struct limit_holder *full_one = full(&auth->node) ? &auth->node
                                          : full(of_vhost)  ? of_vhost
                                          : full(of_user)   ? of_user
                                                            : NULL;
    if (full_one) {
        *reached = full_one == of_user    ? LIMITED_USER
                   : full_one == of_vhost ? LIMITED_VHOST
                                          : LIMITED_NODE;
        *max = full_one->max[LIMIT_CONNECTIONS];
        let_go(auth, LIMITED_VHOST, of_vhost);
        let_go(auth, LIMITED_USER, of_user);
        status = STATUS_LIMIT;
    } else {
        of_vhost->connections++;
        of_user->connections++;
        auth->node.connections++;
        *out = (struct seat){of_user, of_vhost, &auth->node};
    }
    unlock(auth);
    return status;
}

void seat_leave(struct auth *auth, struct seat *seat)
{
    if (!seat->user)
        return;
    lock(auth);
    seat->vhost->connections--;
    seat->user->connections--;
    seat->node->connections--;
    let_go(auth, LIMITED_VHOST, seat->vhost);
    let_go(auth, LIMITED_USER, seat->user);
    unlock(auth);
    *seat = (struct seat){0};
}

static bool open_channel(struct limit_holder *holder, int64_t *max)
{
    uint64_t before = atomic_fetch_add_explicit(&holder->channels, 1, memory_order_relaxed);
    *max = atomic_load_explicit(&holder->max[LIMIT_CHANNELS], memory_order_relaxed);
    if (*max < 0 || before < (uint64_t)*max)
        return true;
    atomic_fetch_sub_explicit(&holder->channels, 1, memory_order_relaxed);
    return false;
}

enum status seat_open_channel(struct seat *seat, enum limited *reached, int64_t *max)
{
    *reached = LIMITED_USER;
    if (!open_channel(seat->user, max))
        return STATUS_LIMIT;
    *reached = LIMITED_NODE;
    if (open_channel(seat->node, max))
        return STATUS_OK;
    atomic_fetch_sub_explicit(&seat->user->channels, 1, memory_order_relaxed);
    return STATUS_LIMIT;
}

void seat_close_channels(struct seat *seat, uint64_t count)
{
    if (!seat->user)
        return;
    atomic_fetch_sub_explicit(&seat->user->channels, count, memory_order_relaxed);
    atomic_fetch_sub_explicit(&seat->node->channels, count, memory_order_relaxed);
}
