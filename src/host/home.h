/* A home: where one vhost lives. It joins the vhost's core, its journal and the loop of its owner.
 *
 * Thread: the owner's loop, but for what says otherwise. A home outlives its vhost: letters may
 * still be under way to it, so it is freed with the node. */
#ifndef LEVERET_HOST_HOME_H
#define LEVERET_HOST_HOME_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "leveret/host/node.h"
#include "share.h"

/* Units of work after which a command, or what a vhost does by itself, stops and goes on in another
 * turn: about a millisecond. */
#define HOME_PORTION_UNITS 10000u
/* Message bytes that wait for the disk, above which publishers of a vhost are not read; half of it
 * lets them on. */
#define HOME_UNWRITTEN_BYTES_MAX (64u << 20)

struct home {
    struct node *node;
    struct loop *owner;
    char *name;
    char *path; /* the journal's directory; NULL: in memory */
    struct log *log;
    struct vhost *vhost;     /* NULL once deleted, or when it is down */
    struct journal *journal; /* likewise */
    struct journal_memory_disk *memory_disk;
    struct timer *timer;  /* made on first use, by the owner */
    struct share *share;  /* the owner's */
    struct sharer sharer; /* of what the vhost does by itself */
    bool tick_due;        /* it waits for the sharer's turn */
    struct loop_task commit;
    unsigned in_core; /* calls into the core under way: what its events cause must wait (link.c) */
    uint64_t told_bytes;    /* of messages, to the node's account */
    uint64_t weighed_bytes; /* told when the node's memory was last weighed */
    enum status health;     /* of the journal */
    atomic_bool unwritable; /* health is not OK: for any thread, and counted in the node */
    atomic_uint gate; /* enum publish_gate; written by the owner, read by links on any thread */
    char gate_text[160];
    char health_text[160];
    char *down_reason; /* its data cannot be opened, why in a sentence; NULL: it is not down */
    enum status down_status;  /* … and as a status */
    TAILQ_HEAD(, link) links; /* attached ones */
    atomic_bool ended;        /* its data are gone: another vhost may have its name */
    TAILQ_ENTRY(home) entry;  /* in the node, under its lock */
};

struct home_options {
    struct node *node;
    struct loop *owner;
    struct share *share; /* the owner's */
    struct bytes name;
    const char *node_name;
    bool announces;
    const char *path;
    struct journal_threads *threads;
    struct log *log;
    struct vhost_limits limits;
    struct dialect dialect;
};

/* Makes a home and recovers its journal; on the main thread, before anybody else knows of it.
 * Errors: as journal_recover. */
MUST_USE enum status home_new(const struct home_options *options, struct home **out, char **error);
/* Makes the home of a vhost that could not be opened: it holds its name and the reason, which it
 * takes over, and nothing else. */
struct home *home_new_down(const struct home_options *options, enum status status, char *reason);
/* With the owner's loop stopped. */
void home_free(struct home **home);

/* Ends the vhost on its owner: detaches all links, closes the journal, removes its data. Of one
 * that is down the data go too. */
void home_end(struct home *home);

/* To be called after each call into the vhost: sees to it that the turn ends with a commit. */
void home_touched(struct home *home);
/* Weighs the node's alarms and the journal's state anew. */
void home_weigh_gate(struct home *home);

struct moment home_moment(const struct home *home);

/* The vhost with the exchanges of events and log lines: who listens. Its owner. */
void node_listened(struct node *node, bool events, bool log);
/* The node's alarm as text for connection.blocked; NULL: none. *memory: whether memory is short.
 * Any thread. */
const char *node_alarm_text(const struct node *node, bool *memory);

/* Vhosts whose journals cannot write now: one more (1) or less (-1). Any thread. */
void node_count_unwritable(struct node *node, int change);

/* link.c: an event of the core on its way to a link. Runs on the owner. */
void link_event(void *context, void *owner, const struct event *event);
/* link.c: tells every link that publishes what home's gate is now. */
void links_tell_gate(struct home *home);
/* link.c: detaches every link of a home. */
void links_detach(struct home *home);

#endif
