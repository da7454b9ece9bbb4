/* A home: where one vhost lives. It joins the vhost's core, its journal and the loop of its owner.
 *
 * Thread: the owner's loop, where nothing else is said. A home outlives its vhost, because letters
 * to it may still be under way; it is freed with the node. */
#ifndef LEVERET_HOST_HOME_H
#define LEVERET_HOST_HOME_H

#include <stdatomic.h>
#include <sys/queue.h>

#include "leveret/host/node.h"
#include "share.h"

/* Units of work (about 0.1 µs each) after which one call into the core stops; it goes on in another
 * turn of the loop. */
#define HOME_PORTION_UNITS 10000u
/* Message bytes of one vhost that wait for the disk. Above this its publishers are not read; they
 * are read again below half of it. */
#define HOME_UNWRITTEN_BYTES_MAX (64u << 20)

struct home {
    struct node *node;
    struct loop *owner;
    char *name;
    char *path; /* the journal's directory; NULL: in memory */
    struct log *log;
    struct vhost *vhost;     /* NULL once it is deleted, or while it is down */
    struct journal *journal; /* likewise */
    struct journal_memory_disk *memory_disk;
    struct timer *timer;  /* made on first use, by the owner */
    struct share *share;  /* the owner's */
    struct sharer sharer; /* for the work that the vhost does by itself (vhost_tick) */
    bool tick_due;        /* vhost_tick is due and waits for the sharer's turn */
    struct loop_task commit;
    unsigned in_core;    /* calls into the core or the journal under way: home_enter, home_leave */
    uint64_t told_bytes; /* message bytes that the node's account has been told of */
    uint64_t weighed_bytes; /* told_bytes when the node's memory was last weighed */
    enum status health;     /* of the journal */
    atomic_bool unwritable; /* health is not OK; the node counts such homes. Any thread */
    atomic_uint gate; /* enum publish_gate; written by the owner, read by links on any thread */
    atomic_uint_fast64_t received_bytes, sent_bytes; /* node_count_traffic. Any thread */
    char gate_text[160];
    char health_text[160];
    char *down_reason; /* the sentence that says why the vhost's data cannot be opened; NULL: the
                          vhost is not down */
    enum status down_status;  /* the same as a status */
    TAILQ_HEAD(, link) links; /* those that are attached */
    atomic_bool
        ended; /* the vhost's data are gone, so another vhost may get its name. Any thread */
    TAILQ_ENTRY(home) entry; /* in the node, under its lock */
};

struct home_options {
    struct node *node;
    struct loop *owner;
    struct share *share; /* the owner's */
    struct bytes name;
    const char *node_name;
    bool announces;   /* the vhost has the exchanges of events and log lines */
    const char *path; /* the journal's directory; NULL: in memory */
    struct journal_threads *threads;
    struct log *log;
    struct vhost_limits limits;
    struct census *census; /* the node's */
    struct dialect dialect;
};

/* Makes a home and recovers its journal. The main thread, before any other thread can find the
 * home. Errors: as journal_recover. */
MUST_USE enum status home_new(const struct home_options *options, struct home **out, char **error);
/* Makes the home of a vhost that could not be opened: it has the vhost's name and the reason, which
 * it takes over, and nothing else. The main thread. */
struct home *home_new_down(const struct home_options *options, enum status status, char *reason);
/* The main thread, with the owner's loop stopped. */
void home_free(struct home **home);

/* Ends the vhost: detaches all links, closes the journal, removes the data, also those of a vhost
 * that is down. */
void home_end(struct home *home);

/* Every call of the core or the journal that may send events stands between home_enter and
 * home_leave. An event's receiver may send a command at once. The core must not be called again
 * from within such a call, so between the two a command becomes a letter (link.c). */
static inline void home_enter(struct home *home)
{
    home->in_core++;
}

static inline void home_leave(struct home *home)
{
    home->in_core--;
}

/* To be called after each call that changes the vhost: the turn of the loop will end with a commit.
 */
void home_touched(struct home *home);
/* Sets the gate anew, from the node's alarms and the state of the journal, and tells the links. */
void home_weigh_gate(struct home *home);

struct moment home_moment(const struct home *home);

#endif
