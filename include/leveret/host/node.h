/* The node: what one leveretd process holds, and where each vhost lives. It joins core, journal and
 * runtime: a vhost's owner is one worker's loop; its journal wakes that loop; its events find their
 * way to whoever holds a link.
 *
 * Thread: the node is made and freed on the main thread, with workers stopped. Vhosts are added and
 * removed by the main thread only; looking one up (link_open, node_ask_vhost) is for any loop. */
#ifndef LEVERET_HOST_NODE_H
#define LEVERET_HOST_NODE_H

#include <stdatomic.h>

#include "leveret/auth/auth.h"
#include "leveret/auth/limits.h"
#include "leveret/base/account.h"
#include "leveret/base/log.h"
#include "leveret/broker/vhost.h"
#include "leveret/journal/journal_leveldb.h"
#include "leveret/runtime/worker.h"

struct node;

struct node_options {
    const char *data_dir; /* NULL: everything in memory */
    struct workers *workers;
    struct log *log;
    unsigned writers;             /* journal writer threads */
    uint64_t memory_bytes_max;    /* above: publishers are blocked (alarm "memory"); 0: always */
    uint64_t disk_free_bytes_min; /* below: publishers are blocked (alarm "disk") */
    struct vhost_limits limits;   /* of every vhost; limits.resident_bytes_max is ignored: the node
                                     derives it from memory_bytes_max */
    const char *name;             /* "leveret@host" */
    const char *announce_vhost;   /* has the exchanges of events and log lines; NULL: none has */
    struct dialect dialect;
    enum queue_type default_queue_type; /* of a vhost whose entry in the directory says none */
};

/* Locks the data directory and checks its format version. Errors: LOCKED, VERSION, IO, CORRUPT,
 * NO_SPACE with a sentence in *error (free it) that says what to do. */
MUST_USE enum status node_new(const struct node_options *options, struct node **out, char **error);
/* Commits what is pending, closes the journals, unlocks. Workers must be stopped. */
void node_free(struct node **node);

/* The directory of users, for auth_new. */
const struct auth_store *node_auth_store(struct node *node);
/* After auth_new: remembers in the data directory that users were made in it, so that their loss is
 * noticed. Errors: IO, NO_SPACE. */
MUST_USE enum status node_mark_filled(struct node *node);

/* At start: opens a vhost that the directory names. One that cannot be opened is down: it holds its
 * name, nobody can use it, and node_vhost_down says why; the others and the broker go on. */
void node_open_vhost(struct node *node, struct bytes name);
/* The reason, in a sentence, why the vhost is down (free it); NULL: it is not. Any thread. */
char *node_vhost_down(struct node *node, struct bytes name);
/* Whether the vhost's journal cannot write now. Any thread. */
bool node_vhost_unwritable(struct node *node, struct bytes name);
/* Tries again to open a vhost that is down; does nothing to a vhost that runs. Main thread.
 * Errors: NOT_FOUND; as node_add_vhost: it stays down. */
MUST_USE enum status node_restart_vhost(struct node *node, struct bytes name, char **error);

/* Opens a vhost: gives it an owner, recovers its journal (waits for the disk). Main thread. Errors:
 * as journal_recover; LOCKED: one of this name is still being deleted. */
MUST_USE enum status node_add_vhost(struct node *node, struct bytes name, char **error);
/* Deletes a vhost and its data: its links get EVENT_DETACHED with no request of theirs. done() runs
 * on the calling loop. Errors: NOT_FOUND. */
MUST_USE enum status node_delete_vhost(struct node *node, struct bytes name,
                                       void (*done)(void *context), void *context);

/* Takes over the limits of options (memory, disk, message size, consumer time-out) and nothing else
 * of them, for the node and all its vhosts. Main thread. */
void node_set_limits(struct node *node, const struct node_options *options);
/* The watermarks alone, until node_set_limits; at once. Main thread. */
void node_set_watermarks(struct node *node, uint64_t memory_bytes_max,
                         uint64_t disk_free_bytes_min);
/* Hands the vhost's owner what the directory says of it now: limits, tracing. The main thread,
 * after the vhost was added or the directory changed; nothing happens when there is no such vhost.
 */
void node_tune_vhost(struct node *node, struct auth *auth, struct bytes name);

/* node_options.default_queue_type. Any thread. */
enum queue_type node_default_queue_type(const struct node *node);
/* What a vhost's entry in the directory (vhost_entry.default_queue_type) comes to: the node's when
 * it says none. Any thread. */
enum queue_type node_queue_type(const struct node *node, const char *said);

/* Whether resources are short: for the API. Any thread. */
struct node_alarms {
    bool memory, disk;          /* disk: too little is free, or some journals cannot write */
    unsigned unwritable_vhosts; /* whose journals cannot write now */
    uint64_t memory_bytes, memory_bytes_max, disk_free_bytes, disk_free_bytes_min;
};
void node_alarms(const struct node *node, struct node_alarms *out);
/* What clients make this node hold, by kind; its budget is memory_bytes_max, but never below
 * NODE_BUDGET_BYTES_MIN, so that whoever set the watermark to 0 can still log in and raise it. Any
 * thread; lives as long as the node. */
struct account *node_account(const struct node *node);
#define NODE_BUDGET_BYTES_MIN (64ull << 20)
/* For whoever has told the account that much more is held, at most once a turn: raises the alarm
 * "memory" when the account's sum has passed memory_bytes_max and the resident set is near it,
 * without waiting for the next look at that. That look ends it, when both are below. Any thread. */
void node_weigh_memory(struct node *node);
/* How much a thread may have taken since it last weighed. */
#define NODE_WEIGH_BYTES (256u << 10)
/* Starts watching memory and disk, on the main loop. */
void node_watch(struct node *node, struct auth *auth, struct loop *main_loop);

/* Runs work(vhost, argument) on the vhost's owner, then done(argument) on the calling loop. The way
 * for the API to read and list: work copies what it needs into argument and must be short. Errors:
 * NOT_FOUND, INTERNAL_ERROR: it is down (done is not called). */
MUST_USE enum status node_ask_vhost(struct node *node, struct bytes name,
                                    void (*work)(struct vhost *vhost, void *argument),
                                    void (*done)(void *argument), void *argument);
/* The journal's figures of a vhost; false when it keeps nothing on disk. */
bool node_journal_figures(struct node *node, struct bytes name, struct journal_figures *out);

/* Announces each change of the directory. The main thread; auth must not outlive the node's use. */
void node_announce_changes(struct node *node, struct auth *auth);

/* ---- Announcements: to amq.rabbitmq.event and amq.rabbitmq.log. Any thread. */

/* Whether anybody listens to events: asked before one is put together. */
bool node_watched(const struct node *node);
/* headers: a checked table's contents. Nothing happens when nobody listens. */
void node_announce(struct node *node, enum announcement announcement, struct bytes key,
                   struct bytes headers, struct bytes body);

/* ---- A link: a line from one loop to one vhost, carrying commands there and events back in order.
 * When both live on one worker a command is a function call. */
struct link;
struct link_options {
    struct loop *loop; /* where events are to arrive: the calling loop */
    void (*event)(void *context, const struct event *event);
    /* What was sent has cost much: no more should be sent (held), until it has had its turns. What
     * is sent all the same waits. May be called from within link_send; NULL: nobody is told. */
    void (*hold)(void *context, bool held);
    void *context;
    struct bytes name, user; /* as peer_options, like the next */
    bool notify_cancel;
};
/* Errors: NOT_FOUND; INTERNAL_ERROR: the vhost is down. */
MUST_USE enum status link_open(struct node *node, struct bytes vhost,
                               const struct link_options *options, struct link **out);
/* Takes the message reference of COMMAND_PUBLISH; copies all else it needs. Events may arrive
 * before it returns. */
void link_send(struct link *link, const struct command *command);
/* The vhost's gate as it is now, an enum publish_gate to be read with atomic_load before a publish
 * is taken in; valid as long as the node. */
const atomic_uint *link_gate(const struct link *link);
/* This link publishes: EVENT_GATE says, soon and after each change, what the gate is. */
void link_publishes(struct link *link);
/* Whether the owner is too far behind to be sent more publishes now. */
bool link_backlogged(const struct link *link);
/* Letters that wait for the owner, from anybody; 0 when it is this loop. */
size_t link_letters(const struct link *link);
/* Ends the link: EVENT_DETACHED follows and is the last event, after which the link is gone. */
void link_close(struct link *link);

#endif
