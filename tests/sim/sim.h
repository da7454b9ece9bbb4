/* The simulator of the core: worlds of queues, exchanges and policies made at random from a seed,
 * steps of clients, time and crashes, and a ledger of what must have become of each message. One
 * thread; everything repeats from the seed.
 *
 * world.c makes worlds, steps.c does things in them, ledger.c knows of messages, checks.c asks the
 * core whether it agrees. What can go wrong, sim_fail tells: the world, its last steps, the seed.
 */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "../unit/core_harness.h"
#include "leveret/base/random.h"

#define QUEUES_MAX   8 /* bits in a queue_mask */
#define KEYS         4
#define PEERS        4
#define CHANNELS     3
#define POLICIES_MAX 6

typedef uint8_t queue_mask;

/* ---- The world: fixed once made, but for which policies are set and which queues are there. */

struct sim_queue {
    char name[8];
    char flags[4];
    struct text arguments;
    bool stored;     /* survives a crash */
    bool keeps_all;  /* transient messages too: quorum */
    bool fleeting;   /* goes by itself: exclusive, auto-delete, x-expires */
    bool single;     /* single active consumer */
    bool may_drop;   /* time, length or number of deliveries may end a message */
    bool may_refuse; /* a publish */
    bool at_least_once;
    bool dead_letters;    /* always: by argument */
    bool letters_perhaps; /* by a policy */
    bool lossless;        /* what is in it is not lost but by ack, purge, deletion */
    bool exclusive;
    unsigned delivery_limit; /* 0: may change or there is none */
    unsigned priority_max;
    uint64_t ttl_ms;       /* of the argument; 0: none */
    queue_mask next;       /* where dead letters may go */
    queue_mask reach_drop; /* where a message in it may be without having been rejected */
    queue_mask reach;      /* or with */
    /* What is so now. */
    bool exists;
    unsigned out;                    /* deliveries that are not settled */
    unsigned consumers;              /* of channels that are open */
    int active_peer, active_channel; /* of the last delivery, with single; -1: nobody */
    uint64_t last_order[16];         /* by priority: of the last first delivery */
};

enum sim_routing { ROUTE_KEYS, ROUTE_ALL, ROUTE_ONE };
struct sim_exchange {
    const char *name, *type;
    enum sim_routing routing;
    bool delays, used;
    queue_mask keys[KEYS]; /* ROUTE_ALL, ROUTE_ONE: keys[0] */
};

struct sim_policy {
    bool operator_policy, set;
    struct text definition;
    char name[8], pattern[8];
    int priority;
    enum policy_target target;
    char shown[120];
};

enum {
    X_DEFAULT,
    X_DIRECT,
    X_FANOUT,
    X_TOPIC,
    X_HASH,
    X_RANDOM,
    X_MODULUS,
    X_DELAYED,
    X_ALTERNATE,
    X_CHAIN,
    X_COUNT
};

struct sim_world {
    uint64_t seed;
    unsigned queue_count;
    struct sim_queue queues[QUEUES_MAX]; /* the first is the sink: durable, without limits */
    struct sim_exchange exchanges[X_COUNT];
    struct sim_policy policies[POLICIES_MAX];
    unsigned policy_count;
    bool message_ttl, tracing, time_outs;
    unsigned crashes; /* of 1000 steps that many */
    struct text shown;
};

/* ---- The ledger. */

enum place { NOWHERE, BROKER, OUT, GONE };
/* A message's copy in the queue that it was routed to, wherever it went from there. */
struct copy {
    uint8_t place;
    uint8_t queue;   /* OUT: whose delivery; BROKER: where it was seen last */
    queue_mask at;   /* BROKER: where it may be */
    queue_mask left; /* rejected from: not to come from there again */
    bool unsure;     /* it may be gone */
    bool refusable;  /* it may never have come in */
    bool been_out;   /* of `queue`, and came back */
    bool doubtful;   /* a crash: marks and counts need not be right */
    bool settled_synced;
    uint16_t returns; /* to `queue` */
};
struct sim_message {
    uint64_t order, expires_ms, due_ms;
    queue_mask targets;
    bool one_of, resolved, persistent, on_disk, answered, mandatory, returned;
    bool loose; /* routed later than published: queues may come and go before */
    uint8_t priority;
    struct copy copies[QUEUES_MAX]; /* by target */
};

struct handle {
    uint64_t tag;
    unsigned uid;
    uint8_t origin, queue;
    bool gone;   /* its queue was deleted */
    uint8_t how; /* in a transaction */
};
struct handles {
    struct handle *at;
    unsigned count, room;
};
enum { END_ACK, END_REJECT, END_REQUEUE };

struct uids {
    unsigned *at;
    unsigned count, room;
};

struct sim_channel {
    bool open, confirm, tx, failed, committing;
    bool consuming[QUEUES_MAX];
    unsigned gets;
    uint64_t answered;     /* confirms up to here */
    struct uids published; /* confirm: by number from 1; tx: not committed yet */
    struct uids committed; /* tx: commit-ok is to come */
    struct handles handles, tx_handles;
};

struct sim {
    struct harness h;
    struct sim_world world;
    struct random_stream random;
    struct sim_channel channels[PEERS][CHANNELS + 1];
    uint64_t owed[PEERS];
    struct sim_message *messages;
    unsigned message_count, message_room;
    uint64_t order;
    bool verbose;
    bool may_fail; /* the command under way */
    bool refused_get;
    const struct sim_queue *got_from;
    int got_queue;
    unsigned policy_answers;
    /* The last steps. */
    char trail[64][160];
    unsigned long trail_count;
    unsigned long steps, deliveries, crashes, worlds, sure_checked;
};
extern struct sim sim;

void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void sim_trail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for what is too much to be kept: only with SIM_VERBOSE. */
void sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
unsigned pick(unsigned below);
static inline bool chance(unsigned percent)
{
    return pick(100) < percent;
}
#define MASK(q) ((queue_mask)(1u << (q)))

/* world.c */
void world_make(uint64_t seed);
void world_free(void);
void world_declare(void); /* all that is not there */
void world_look(void);    /* which queues are gone */
void world_queue_gone(unsigned q);
void world_clear(void); /* deletes all */
void policy_toggle(unsigned p);

/* ledger.c */
unsigned ledger_new(void);
void ledger_published(unsigned uid);
/* A delivery came out. */
void ledger_delivered(int peer, unsigned channel, unsigned queue, const struct event *event,
                      struct message *message, uint64_t tag, bool redelivered, bool no_ack);
void ledger_end(struct sim_channel *channel, struct handle *handle, int how);
void ledger_answered(unsigned uid, bool nack);
void ledger_queue_emptied(unsigned q, bool deleted);
void ledger_synced(void);
void ledger_crashed(void);
void ledger_clear(void);
void handle_add(struct handles *handles, const struct handle *handle);
struct handle handle_take(struct handles *handles, unsigned at);
void uid_add(struct uids *uids, unsigned uid);

/* steps.c */
void step(void);
void open_all(void);
void sync_all(void);
void pass(uint64_t ms);
void on_event(void *context, char peer, const struct event *event);
void drain(void);

/* checks.c */
/* How many are ready; *limit: how many may be for a publish to be taken. */
uint64_t check_room(unsigned q, uint64_t *limit);
void check_counts(void);
void check_quiet(void); /* after a sync */
void check_nothing_left(void);

#endif
