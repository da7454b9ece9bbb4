/* The node: what one leveretd process holds, and where each vhost lives. It joins core, journal and
 * runtime: a vhost belongs to one worker's loop, its owner; its journal wakes that loop; its events
 * go to the loops that hold links to it.
 *
 * Thread: the main thread, where nothing else is said. The node is made and freed with workers
 * stopped. link_open and node_ask_vhost may be called on any loop. */
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
    const char *data_dir; /* NULL: everything is kept in memory */
    struct workers *workers;
    struct log *log;
    unsigned writers;          /* writer threads of the journals: 1 to 16 */
    uint64_t memory_bytes_max; /* above this the alarm "memory" is on, which blocks publishers; 0:
                                  it is always on */
    uint64_t disk_free_bytes_min; /* below this the alarm "disk" is on, which blocks publishers */
    struct vhost_limits limits;   /* of every vhost; limits.resident_bytes_max is ignored: the node
                                     derives it from memory_bytes_max */
    /* Of all vhosts together; one more queue or exchange is refused with PRECONDITION_FAILED;
     * UINT64_MAX: no limit. */
    uint64_t queues_max, exchanges_max;
    const char *name;           /* "leveret@host" */
    const char *announce_vhost; /* the vhost that has the exchanges of events and log lines; NULL:
                                   none has them */
    struct dialect dialect;
    enum queue_type default_queue_type; /* for a vhost whose entry in the directory names none */
};

/* Locks the data directory and checks its format version. Errors: LOCKED, VERSION, IO, CORRUPT,
 * NO_SPACE with a sentence in *error (free it) that says what to do. */
MUST_USE enum status node_new(const struct node_options *options, struct node **out, char **error);
/* Commits what waits for the disk, closes the journals and unlocks the data directory. */
void node_free(struct node **node);

/* node_options.name. Any thread. */
const char *node_name(const struct node *node);
/* The directory of users, for auth_new. */
const struct auth_store *node_auth_store(struct node *node);
/* To be called after auth_new: the data directory remembers that it has users, and a later start
 * refuses a directory that has lost them. Errors: IO, NO_SPACE. */
MUST_USE enum status node_mark_filled(struct node *node);

/* At start: opens a vhost that the directory of users names. A vhost that cannot be opened is down:
 * its name is taken, nobody can use it, and node_vhost_down says why. Everything else goes on. */
void node_open_vhost(struct node *node, struct bytes name);
/* The sentence that says why the vhost is down (free it); NULL: it is not down. Any thread. */
char *node_vhost_down(struct node *node, struct bytes name);
/* Whether the vhost's journal cannot write now. Any thread. */
bool node_vhost_unwritable(struct node *node, struct bytes name);
/* Tries again to open a vhost that is down; does nothing to a vhost that runs. Errors: NOT_FOUND;
 * as node_add_vhost, and the vhost stays down. */
MUST_USE enum status node_restart_vhost(struct node *node, struct bytes name, char **error);

/* Opens a vhost: gives it an owner and recovers its journal, waiting for the disk. Errors: as
 * journal_recover; LOCKED: a vhost of this name is still being deleted. */
MUST_USE enum status node_add_vhost(struct node *node, struct bytes name, char **error);
/* Deletes a vhost and its data. Its links get EVENT_DETACHED without having asked for it. done() is
 * called on the calling loop when that is over. Errors: NOT_FOUND. */
MUST_USE enum status node_delete_vhost(struct node *node, struct bytes name,
                                       void (*done)(void *context), void *context);

/* Gives the node and all its vhosts new limits: memory_bytes_max, disk_free_bytes_min, limits,
 * queues_max and exchanges_max. All other options are ignored. */
void node_set_limits(struct node *node, const struct node_options *options);
/* Changes the two watermarks alone, until the next node_set_limits. They take effect at once. */
void node_set_watermarks(struct node *node, uint64_t memory_bytes_max,
                         uint64_t disk_free_bytes_min);
/* Tells the vhost's owner what the directory says about the vhost now: limits, tracing, the default
 * queue type. To be called after the vhost was added and after its entry was changed. Does nothing
 * when there is no such vhost. */
void node_tune_vhost(struct node *node, struct auth *auth, struct bytes name);

/* node_options.default_queue_type. Any thread. */
enum queue_type node_default_queue_type(const struct node *node);
/* The queue type that a vhost's entry in the directory names (vhost_entry.default_queue_type), or
 * the node's when it names none. Any thread. */
enum queue_type node_queue_type(const struct node *node, const char *said);

/* The alarms, for the API. Any thread. */
struct node_alarms {
    bool memory, disk;          /* the alarm is on; disk also when some journals cannot write */
    unsigned unwritable_vhosts; /* vhosts whose journals cannot write now */
    uint64_t memory_bytes, memory_bytes_max, disk_free_bytes, disk_free_bytes_min;
};
void node_alarms(const struct node *node, struct node_alarms *out);
/* Bytes. The account's budget is memory_bytes_max, but never less than this: an administrator who
 * has set the watermark to 0 can still log in and raise it. */
#define NODE_BUDGET_BYTES_MIN (64ull << 20)
/* The memory that clients make this node hold, by kind. Valid as long as the node. Any thread. */
struct account *node_account(const struct node *node);
/* Bytes. A thread that has told the account of this much more memory calls node_weigh_memory. */
#define NODE_WEIGH_BYTES (256u << 10)
/* Raises the alarm "memory" at once when the account's sum has passed memory_bytes_max and the
 * resident set is near it, without waiting for the next look at the resident set. That look ends
 * the alarm, when both are below. To be called at most once in a turn of a loop. Any thread. */
void node_weigh_memory(struct node *node);
/* Starts watching memory, disk and the vhosts that are down, on the main loop. */
void node_watch(struct node *node, struct auth *auth, struct loop *main_loop);

/* Calls work(vhost, argument) on the vhost's owner, then done(argument) on the calling loop. The
 * API reads and lists in this way: work copies what it needs into argument, and must be short.
 * Errors: NOT_FOUND; INTERNAL_ERROR: the vhost is down. After an error nothing is called. Any loop.
 */
MUST_USE enum status node_ask_vhost(struct node *node, struct bytes name,
                                    void (*work)(struct vhost *vhost, void *argument),
                                    void (*done)(void *argument), void *argument);
/* The figures of a vhost's journal; false when it keeps nothing on disk, or is down. */
bool node_journal_figures(struct node *node, struct bytes name, struct journal_figures *out);

/* Counts bytes that a vhost's clients have sent and got; adds them to the vhost's sums, which begin
 * when it is opened. A session tells of its bytes when it is looked at for samples, and at its end.
 * Any thread. */
void node_count_traffic(struct node *node, struct bytes vhost, uint64_t received_bytes,
                        uint64_t sent_bytes);
/* The sums; 0 when there is no such vhost. Any thread. */
void node_vhost_traffic(struct node *node, struct bytes vhost, uint64_t *received_bytes,
                        uint64_t *sent_bytes);

/* Announces each change of the directory from now on. No change may be made after the node is
 * freed.
 */
void node_announce_changes(struct node *node, struct auth *auth);

/* ---- Announcements, in the exchanges amq.rabbitmq.event and amq.rabbitmq.log. Any thread. */

/* Whether anybody listens to events. An event that nobody would hear need not be put together. */
bool node_watched(const struct node *node);
/* Publishes an event or a log line; does nothing when nobody listens. headers: the contents of a
 * table that was checked. */
void node_announce(struct node *node, enum announcement announcement, struct bytes key,
                   struct bytes headers, struct bytes body);

/* ---- A link connects a loop with a vhost. It carries commands to the vhost and events back, both
 * in order. When the vhost's owner is the same loop, a command is a function call.
 *
 * Thread: the loop that opens the link; it may be any. */
struct link;
struct link_options {
    struct loop *loop; /* the calling loop: events arrive there */
    void (*event)(void *context, const struct event *event);
    /* held: the link's commands have cost much, and their sender should send no more until it is
     * called with false. A command that is sent all the same waits. May be called from within
     * link_send. NULL: nobody is told. */
    void (*hold)(void *context, bool held);
    void *context;
    struct bytes name, user; /* as peer_options */
    bool notify_cancel;      /* as peer_options */
};
/* Errors: NOT_FOUND; INTERNAL_ERROR: the vhost is down. */
MUST_USE enum status link_open(struct node *node, struct bytes vhost,
                               const struct link_options *options, struct link **out);
/* Sends a command. It takes over the message reference of a COMMAND_PUBLISH, and copies all else
 * that it needs. Events may arrive before it returns. */
void link_send(struct link *link, const struct command *command);
/* The vhost's gate, an enum publish_gate. The user reads it with atomic_load before it takes a
 * publish in. Valid as long as the node. */
const atomic_uint *link_gate(const struct link *link);
/* Says that the user of this link publishes: it then gets EVENT_GATE, once soon and after each
 * change of the gate. */
void link_publishes(struct link *link);
/* Whether the owner has so many letters waiting that no more publishes should be sent to it now. */
bool link_backlogged(const struct link *link);
/* How many letters wait for the owner, from all senders; 0 when the owner is this loop. */
size_t link_letters(const struct link *link);
/* Ends the link. EVENT_DETACHED follows, perhaps before this returns; it is the last event, and the
 * link must not be used after it. */
void link_close(struct link *link);

#endif
