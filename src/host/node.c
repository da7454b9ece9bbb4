/* The node: the data directory, the journal's threads, the table of vhosts and their owners. Other
 * parts of the node are in alarms.c and announcer.c.
 *
 * Normal course: node_new locks the data directory. node_add_vhost recovers a vhost and gives it to
 * the next worker. Links and questions find the vhost's home in the table, under a read lock.
 *
 * What can go wrong: the directory is locked, of a newer format, or damaged. node_new or
 * node_add_vhost then fails, and its error says what to do. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "alarms.h"
#include "announcer.h"
#include "data_dir.h"
#include "leveret/base/check.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/base/text.h"
#include "leveret/journal/key_store.h"
#include "node_internal.h"
#include "reopener.h"

/* A vhost whose messages take more than the memory budget divided by this pages transient messages
 * out to disk. */
#define RESIDENT_SHARE 2u

TAILQ_HEAD(homes, home);

struct node {
    struct node_options options;
    struct data_dir *data_dir;
    struct key_store *store;
    struct auth_store auth_store;
    struct journal_threads *threads;
    pthread_rwlock_t lock; /* of by_name and homes */
    struct map by_name;
    struct homes homes;   /* all, also of deleted vhosts: letters may name them */
    unsigned next_owner;  /* the number of the worker that gets the next vhost */
    struct share *shares; /* one for each worker */
    struct alarms *alarms;
    struct reopener *reopener; /* NULL before node_watch */
    struct auth *auth;         /* not owned; NULL before node_watch */
    struct announcer *announcer;
    char *announce_vhost; /* NULL: none */
    char *name;
    struct census census; /* of all vhosts */
};

/* ---- Shares of the workers' time. */

static void round_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct share *share;
    memcpy(&share, letter, sizeof share);
    if (receiver)
        share_round(share);
}

/* The loop reads a letter from itself in its next turn, after it has looked at the sockets. */
static void wake_share(void *context)
{
    struct share *share = context;
    loop_post(loop_current(), round_letter, &share, sizeof share);
}

static void make_shares(struct node *node)
{
    unsigned count = workers_count(node->options.workers);
    node->shares = mem_need_array(NULL, count, sizeof *node->shares);
    for (unsigned i = 0; i < count; i++)
        share_init(&node->shares[i], wake_share, &node->shares[i]);
}

/* ---- The key store of users, behind the interface that auth/ asks for. */

static enum status write_pairs(void *context, const struct auth_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (writes[i].erase)
            key_store_erase(context, writes[i].key);
        else
            key_store_put(context, writes[i].key, writes[i].value);
    }
    return key_store_commit(context);
}

static enum status each_pair(void *context, struct bytes prefix,
                             void (*each)(void *context, struct bytes key, struct bytes value),
                             void *each_context)
{
    return key_store_each(context, prefix, each, each_context);
}

struct announcer *node_announcer(const struct node *node)
{
    return node->announcer;
}

const char *node_announce_vhost(const struct node *node)
{
    return node->announce_vhost;
}

/* ---- Life. */

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

static void set_census(struct node *node, const struct node_options *options)
{
    atomic_store(&node->census.queues_max, options->queues_max);
    atomic_store(&node->census.exchanges_max, options->exchanges_max);
}

enum status node_new(const struct node_options *options, struct node **out, char **error)
{
    struct node *node = mem_need(sizeof *node);
    node->options = *options;
    make_shares(node);
    pthread_rwlock_init(&node->lock, NULL);
    TAILQ_INIT(&node->homes);
    node->name = copy(options->name ? options->name : "");
    node->announce_vhost = options->announce_vhost ? copy(options->announce_vhost) : NULL;
    node->announcer = announcer_new(node, options->log);
    set_census(node, options);
    const struct alarms_options alarms = {
        .node = node,
        .name = node->name,
        .data_dir = options->data_dir,
        .log = options->log,
        .memory_bytes_max = options->memory_bytes_max,
        .disk_free_bytes_min = options->disk_free_bytes_min,
    };
    node->alarms = alarms_new(&alarms);
    enum status status = STATUS_OK;
    if (options->data_dir) {
        status = data_dir_open(options->data_dir, &node->data_dir, error);
        if (status == STATUS_OK)
            status = data_dir_check_node(options->data_dir, error);
        if (status == STATUS_OK) {
            char *path = data_dir_node_path(node->data_dir);
            status = key_store_open(path, &node->store, error);
            free(path);
        }
        node->auth_store = (struct auth_store){.context = node->store,
                                               .write = write_pairs,
                                               .each = each_pair,
                                               .filled = data_dir_was_filled(options->data_dir)};
    }
    if (status == STATUS_OK) {
        node->threads = journal_threads_new(options->writers, options->log);
        *out = node;
        return STATUS_OK;
    }
    node_free(&node);
    return status;
}

void node_free(struct node **node)
{
    struct node *n = *node;
    if (!n)
        return;
    *node = NULL;
    alarms_stop(n->alarms);
    reopener_free(&n->reopener);
    struct home *home;
    while ((home = TAILQ_FIRST(&n->homes))) {
        TAILQ_REMOVE(&n->homes, home, entry);
        home_free(&home);
    }
    map_free(&n->by_name);
    if (n->threads)
        journal_threads_free(&n->threads);
    if (n->store)
        key_store_close(&n->store);
    data_dir_close(&n->data_dir);
    announcer_free(&n->announcer);
    alarms_free(&n->alarms);
    free(n->announce_vhost);
    free(n->shares);
    free(n->name);
    pthread_rwlock_destroy(&n->lock);
    free(n);
}

enum status node_mark_filled(struct node *node)
{
    return node->data_dir ? data_dir_mark_filled(data_dir_path(node->data_dir)) : STATUS_OK;
}

const struct auth_store *node_auth_store(struct node *node)
{
    return &node->auth_store;
}

/* ---- Vhosts. */

/* The limits of every vhost, as they are now. */
static struct vhost_limits current_limits(const struct node *node)
{
    struct vhost_limits limits = node->options.limits;
    limits.resident_bytes_max = (size_t)(account_budget_bytes(node_account(node)) / RESIDENT_SHARE);
    return limits;
}

struct home *node_find_home(struct node *node, struct bytes name)
{
    pthread_rwlock_rdlock(&node->lock);
    struct home *home = map_get(&node->by_name, name);
    pthread_rwlock_unlock(&node->lock);
    return home;
}

void node_each_home(struct node *node, void (*each)(struct home *home))
{
    pthread_rwlock_rdlock(&node->lock);
    struct home *home;
    TAILQ_FOREACH(home, &node->homes, entry)
    each(home);
    pthread_rwlock_unlock(&node->lock);
}

/* Whether a vhost of this name is being deleted: its owner has not removed its data yet. */
static bool is_ending(struct node *node, struct bytes name)
{
    bool found = false;
    pthread_rwlock_rdlock(&node->lock);
    struct home *home;
    TAILQ_FOREACH(home, &node->homes, entry)
    found |= bytes_equal_text(name, home->name) && !atomic_load(&home->ended);
    pthread_rwlock_unlock(&node->lock);
    return found;
}

/* Opens a vhost and puts its home into the table, where it replaces a home that is down. When the
 * vhost cannot be opened, *error says why; may_be_down: the table then gets a home that is down. */
static enum status open_home(struct node *node, struct bytes name, bool may_be_down, char **error)
{
    char *path = node->data_dir ? data_dir_vhost_path(node->data_dir, name) : NULL;
    unsigned owner = node->next_owner++ % workers_count(node->options.workers);
    const struct home_options options = {
        .node = node,
        .owner = workers_loop(node->options.workers, owner),
        .share = &node->shares[owner],
        .name = name,
        .node_name = node->name,
        .announces = node->announce_vhost && bytes_equal_text(name, node->announce_vhost),
        .path = path,
        .threads = node->threads,
        .log = node->options.log,
        .limits = current_limits(node),
        .census = &node->census,
        .dialect = node->options.dialect,
    };
    struct home *home = NULL;
    enum status status = home_new(&options, &home, error);
    if (status != STATUS_OK && !*error)
        *error = copy(status_text(status));
    if (status != STATUS_OK && may_be_down)
        home = home_new_down(&options, status, copy(*error));
    free(path);
    if (!home)
        return status;
    pthread_rwlock_wrlock(&node->lock);
    struct home *before = map_remove(&node->by_name, name);
    if (before)
        atomic_store(&before->ended, true);
    map_put(&node->by_name, bytes_of_text(home->name), home);
    TAILQ_INSERT_TAIL(&node->homes, home, entry);
    pthread_rwlock_unlock(&node->lock);
    return status;
}

void node_open_vhost(struct node *node, struct bytes name)
{
    char *error = NULL;
    if (node_find_home(node, name))
        return;
    if (open_home(node, name, true, &error) != STATUS_OK)
        log_line(
            node->options.log, LOG_ERROR, "leveretd",
            "vhost '%.*s' is down, the others go on: %s; `leveretctl restart_vhost` tries again",
            BYTES_PRINT(name), error);
    free(error);
}

char *node_vhost_down(struct node *node, struct bytes name)
{
    const struct home *home = node_find_home(node, name);
    return home && home->down_reason ? copy(home->down_reason) : NULL;
}

bool node_any_down(struct node *node)
{
    bool down = false;
    pthread_rwlock_rdlock(&node->lock);
    const struct home *home;
    TAILQ_FOREACH(home, &node->homes, entry)
    down |= home->down_reason && !atomic_load(&home->ended);
    pthread_rwlock_unlock(&node->lock);
    return down;
}

bool node_vhost_unwritable(struct node *node, struct bytes name)
{
    const struct home *home = node_find_home(node, name);
    return home && atomic_load(&home->unwritable);
}

enum status node_restart_vhost(struct node *node, struct bytes name, char **error)
{
    const struct home *home = node_find_home(node, name);
    if (!home)
        return STATUS_NOT_FOUND;
    if (!home->down_reason)
        return STATUS_OK;
    enum status status = open_home(node, name, false, error);
    if (status == STATUS_OK)
        log_line(node->options.log, LOG_INFO, "leveretd", "vhost '%.*s' runs again",
                 BYTES_PRINT(name));
    return status;
}

enum status node_add_vhost(struct node *node, struct bytes name, char **error)
{
    if (node_find_home(node, name))
        return STATUS_OK;
    if (is_ending(node, name)) {
        struct text text = {0};
        text_printf(&text, "vhost '%.*s' is still being deleted", BYTES_PRINT(name));
        text_add(&text, "", 1);
        *error = (char *)text.at;
        return STATUS_LOCKED;
    }
    return open_home(node, name, false, error);
}

/* A question to an owner, on its way there and back. */
struct question {
    struct home *home;
    struct loop *asker;
    void (*work)(struct vhost *vhost, void *argument); /* NULL: the vhost is to be deleted */
    void (*done)(void *argument);
    void *argument;
};

static void answer_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct question *question = letter;
    if (receiver && question->done)
        question->done(question->argument);
}

static void question_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct question *question = letter;
    if (!receiver)
        return;
    if (!question->work) {
        home_end(question->home);
    } else if (question->home->vhost) {
        question->work(question->home->vhost, question->argument);
    }
    loop_post(question->asker, answer_letter, question, bytes);
}

enum status node_ask_vhost(struct node *node, struct bytes name,
                           void (*work)(struct vhost *vhost, void *argument),
                           void (*done)(void *argument), void *argument)
{
    CHECK(work && loop_current());
    struct home *home = node_find_home(node, name);
    if (!home)
        return STATUS_NOT_FOUND;
    if (home->down_reason)
        return STATUS_INTERNAL_ERROR;
    struct question question = {home, loop_current(), work, done, argument};
    loop_post(home->owner, question_letter, &question, sizeof question);
    return STATUS_OK;
}

enum status node_delete_vhost(struct node *node, struct bytes name, void (*done)(void *context),
                              void *context)
{
    CHECK(loop_current());
    pthread_rwlock_wrlock(&node->lock);
    struct home *home = map_remove(&node->by_name, name);
    pthread_rwlock_unlock(&node->lock);
    if (!home)
        return STATUS_NOT_FOUND;
    struct question question = {home, loop_current(), NULL, done, context};
    loop_post(home->owner, question_letter, &question, sizeof question);
    return STATUS_OK;
}

/* ---- Tuning. */

enum queue_type node_default_queue_type(const struct node *node)
{
    return node->options.default_queue_type;
}

enum queue_type node_queue_type(const struct node *node, const char *said)
{
    enum queue_type type;
    return queue_type_read(bytes_of_text(said), &type) ? type : node->options.default_queue_type;
}

struct tuning_letter {
    struct home *home;
    struct vhost_tuning tuning;
};

static void tuning_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct tuning_letter *l = letter;
    if (receiver && l->home->vhost)
        vhost_tune(l->home->vhost, &l->tuning);
}

void node_tune_vhost(struct node *node, struct auth *auth, struct bytes name)
{
    struct home *home = node_find_home(node, name);
    if (!home)
        return;
    struct vhost_entry entry;
    bool found = auth_find_vhost(auth, name, &entry);
    int64_t queues = auth_limit(auth, LIMITED_VHOST, name, LIMIT_QUEUES);
    struct tuning_letter letter = {
        .home = home,
        .tuning = {.queues_max = queues < 0 ? UINT64_MAX : (uint64_t)queues,
                   .tracing = found && entry.tracing,
                   .default_queue_type =
                       node_queue_type(node, found ? entry.default_queue_type : "")},
    };
    loop_post(home->owner, tuning_letter, &letter, sizeof letter);
}

bool node_journal_figures(struct node *node, struct bytes name, struct journal_figures *out)
{
    struct home *home = node_find_home(node, name);
    if (!home || !home->path || home->down_reason)
        return false;
    journal_leveldb_figures(home->journal, out);
    return true;
}

/* ---- Limits. */

struct vhost_limits_letter {
    struct home *home;
    struct vhost_limits limits;
};

static void limits_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    const struct vhost_limits_letter *l = letter;
    if (!receiver || !l->home->vhost)
        return;
    vhost_set_limits(l->home->vhost, &l->limits, home_moment(l->home));
    home_touched(l->home);
}

/* Sends every vhost the limits as they are now. */
static void hand_out_limits(struct node *node)
{
    struct vhost_limits_letter letter = {.limits = current_limits(node)};
    pthread_rwlock_rdlock(&node->lock);
    TAILQ_FOREACH(letter.home, &node->homes, entry)
    loop_post(letter.home->owner, limits_letter, &letter, sizeof letter);
    pthread_rwlock_unlock(&node->lock);
}

void node_set_watermarks(struct node *node, uint64_t memory_bytes_max, uint64_t disk_free_bytes_min)
{
    alarms_set_limits(node->alarms, memory_bytes_max, disk_free_bytes_min);
    hand_out_limits(node);
}

void node_set_limits(struct node *node, const struct node_options *options)
{
    node->options.limits = options->limits;
    set_census(node, options);
    node_set_watermarks(node, options->memory_bytes_max, options->disk_free_bytes_min);
}

void node_watch(struct node *node, struct auth *auth, struct loop *main_loop)
{
    alarms_watch(node->alarms, main_loop);
    node->reopener = reopener_new(node, auth, main_loop);
    node->auth = auth;
}

const struct auth *node_auth(const struct node *node)
{
    return node->auth;
}

const char *node_name(const struct node *node)
{
    return node->name;
}

struct alarms *node_alarms_of(const struct node *node)
{
    return node->alarms;
}

struct account *node_account(const struct node *node)
{
    return alarms_account(node->alarms);
}
