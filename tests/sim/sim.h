/* The simulator of the core: worlds of queues, exchanges and policies made at random from a seed,
 * steps of clients, time and crashes, and a ledger of what must have become of each message. One
 * thread; everything repeats from the seed.
 *
 * A node has one to three vhosts, each with a world of its own; a step is in one of them, `here`.
 * world.c makes worlds and exchanges.c their exchanges and bindings; steps.c chooses what happens:
 * publishing.c, consuming.c and channels.c are what clients do, machine.c is time, disk, crashes
 * and the deletion of a vhost; portions.c is what happens while a command is not through; events.c
 * hears what the core says. ledger.c knows of messages, delivery.c compares what comes out with it:
 * order.c knows what comes first, returns.c how often it came back, active.c which consumers are
 * active, transactions.c which commits are on disk, dedup.c knows of identifiers and replies.c of
 * direct replies. checks.c asks the core whether it agrees. What can go wrong, sim_fail tells: the
 * worlds, the last steps, the seed. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "../unit/core_harness.h"
#include "leveret/base/random.h"

#define QUEUES_MAX   8 /* bits in a queue_mask */
#define KEYS         4
#define PEERS        4
#define CHANNELS     3
#define POLICIES_MAX 6
#define IDENTIFIERS  24 /* that messages are deduplicated by; 0 is none */
#define NOBODY       (-1)
#define LEVELS       32 /* of priorities */
#define VHOSTS_MAX   3

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
    bool dedups;                    /* refuses what has an identifier that is in it */
    bool bounded;                   /* messages leave it, or are refused, for its lengths alone */
    uint64_t length_max, bytes_max; /* UINT64_MAX: no limit */
    bool counts;                    /* returns, whatever its policies are */
    enum { COUNTS_ALL, COUNTS_FAILURES, COUNTS_EITHER } counting; /* what its limit bounds */
    unsigned delivery_limit; /* of queues that count; UINT_MAX: none, or it may change */
    unsigned priority_max;
    uint64_t ttl_ms;       /* of the argument; 0: none */
    queue_mask next;       /* where dead letters may go */
    queue_mask reach_drop; /* where a message in it may be without having been rejected */
    queue_mask reach;      /* or with */
    /* What is so now. */
    bool exists;
    bool leaving;                          /* its deletion is under way */
    unsigned out;                          /* deliveries that are not settled */
    unsigned consumers;                    /* of channels that are open */
    int active_peer, active_channel;       /* of the last delivery, with single; or NOBODY */
    int fading_peer, fading_channel;       /* was active, and is to give way to a better one */
    unsigned fading;                       /* the consumer's number; 0: none is */
    int exclusive_peer, exclusive_channel; /* of the consumer that is alone, or NOBODY */
    uint64_t last_order[LEVELS];           /* by priority: of the last first delivery */
};

enum sim_routing { ROUTE_KEYS, ROUTE_ALL, ROUTE_ONE };
struct sim_exchange {
    const char *name, *type;
    enum sim_routing routing;
    bool delays, dedups, used;
    queue_mask keys[KEYS]; /* what is to be bound; ROUTE_ALL, ROUTE_ONE: keys[0] */
    /* What is so now. */
    bool exists, leaving;
    queue_mask bound[KEYS];
};

struct sim_policy {
    bool operator_policy, set;
    struct text definition;
    char name[8], pattern[8];
    int priority;
    enum policy_target target;
    unsigned key; /* what it sets: see make_policy */
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
    X_HEADERS,
    X_DEDUP,
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
    bool time_outs_cancel; /* consumers, and not fail channels */
    bool identifiers;      /* messages may have one */
    bool replies;          /* channels ask and answer */
    bool priorities;       /* messages may say one */
    bool all_returns;      /* count for limits that are said */
    bool heavy;            /* some bodies are so large that they leave memory */
    bool unbinds;          /* bindings and exchanges go, too */
    bool disk_fails;       /* now and then, for a time */
    bool chained;          /* now: the exchange binding of X_CHAIN is there */
    bool late;             /* now: the exchange for late letters is there */
    unsigned crashes;      /* of 1000 steps that many */
    struct text shown;
};

/* ---- The ledger. */

enum place { NOWHERE, BROKER, OUT, GONE };
/* How often something happened; min: as is on disk, max: after a crash. */
struct tally {
    uint16_t is, min, max;
};
/* What a delivery says; -1: nothing. */
struct counts {
    int64_t acquired, counted;
};
/* A message's copy in the queue that it was routed to, wherever it went from there. */
struct copy {
    uint8_t place;
    uint8_t queue;   /* OUT: whose delivery; BROKER: where it was seen last */
    queue_mask at;   /* BROKER: where it may be */
    queue_mask left; /* rejected from: not to come from there again */
    bool unsure;     /* it may be gone */
    bool hinges;     /* only because its commit may not be on disk */
    bool refusable;  /* it may never have come in */
    bool been_out;   /* of `queue`, and came back */
    bool doubtful;   /* a crash: marks need not be right, and counts in bounds only */
    bool survivor;   /* of a crash */
    bool settled_synced;
    struct tally returns, failures; /* to `queue` */
    unsigned acked_in;              /* the number of that commit; 0: none */
    bool failures_unknown;          /* at most that many: a crash left it so */
};
struct sim_message {
    uint64_t order, expires_ms, due_ms;
    queue_mask targets;
    bool one_of, resolved, persistent, on_disk, answered, mandatory, returned;
    bool loose;     /* routed later than published: queues and bindings come and go before */
    bool unordered; /* others were published while it was given to its queues */
    bool unrouted;  /* loose: not all that it is routed by was there all the time */
    bool synced;    /* it has been on disk, with all that was done before */
    bool refusable; /* one of its queues may have been full, or need not be to refuse it */
    bool answer_came, says_priority;
    unsigned tx;            /* the number of its commit; 0: none */
    unsigned asks, answers; /* the number of the asker whose question or answer it is; 0: none */
    uint8_t priority, exchange, identifier;
    uint32_t bytes;
    struct copy copies[QUEUES_MAX]; /* by target */
};

struct handle {
    uint64_t tag;
    unsigned uid;
    uint8_t origin, queue;
    unsigned consumer; /* its number; 0: a get */
    bool gone;         /* its queue was deleted */
    uint8_t how;       /* in a transaction */
};
struct handles {
    struct handle *at;
    unsigned count, room;
};
/* END_TIME_OUT: handed back, or a failure if it was not out for too long itself. */
enum { END_ACK, END_REJECT, END_REQUEUE, END_FAIL, END_TIME_OUT };

struct uids {
    unsigned *at;
    unsigned count, room;
};

struct sim_channel {
    bool open, confirm, tx, failed, committing;
    bool may_fail; /* for what it asks just now */
    bool consuming[QUEUES_MAX];
    unsigned consumer[QUEUES_MAX]; /* its number: of those of the vhost, from 1 on */
    int priority[QUEUES_MAX];      /* of that consumer */
    unsigned asker;  /* its number from 1 on, while it consumes replies; 0: it does not */
    uint64_t late;   /* a delivery that was taken from it by a time-out; 0: none */
    unsigned commit; /* the number of the last one */
    unsigned gets;
    unsigned unanswered;          /* commands that are owed a reply */
    enum command_type last_asked; /* of them */
    uint64_t answered;            /* confirms up to here */
    struct uids published;        /* confirm: by number from 1; tx: not committed yet */
    struct uids committed;        /* tx: commit-ok is to come */
    struct handles handles, tx_handles;
};

/* A commit: whether it is on disk. */
struct sim_tx {
    enum { TX_OPEN, TX_DONE, TX_UNDONE } state;
};

/* A consumer of direct replies, of now or of before. */
#define REPLY_CONSUMER 1000
struct sim_asker {
    bool alive;
    unsigned p, c;
    char name[120]; /* empty: none of its questions has come to anybody */
};

/* One vhost of the node, with all that is known of it. */
struct sim_vhost {
    unsigned number;
    char name[4];
    struct harness h;
    struct sim_world world;
    bool there;           /* it is not deleted */
    unsigned under_way;   /* commands that have stopped between two portions: see portions.c */
    bool busy[PEERS + 1]; /* peers whose command that is; the last one imports */
    int asking;           /* the peer whose command the core is at */
    unsigned asking_channel;
    enum command_type asked; /* COMMAND_CHANNEL_CLOSE: the peer vanishes, or its channel */
    bool to_be_deleted;      /* as soon as no command is under way */
    struct sim_channel channels[PEERS][CHANNELS + 1];
    uint64_t owed[PEERS];
    struct sim_message *messages;
    unsigned message_count, message_room;
    uint64_t order;
    struct sim_asker *askers;
    unsigned asker_count, asker_room;
    unsigned consumers; /* so far */
    struct sim_tx *txs;
    unsigned tx_count, tx_room;
    int got_queue;
    struct {
        enum { UNKNOWN, PERHAPS, KNOWN } state;
        unsigned uid;
    } known[IDENTIFIERS]; /* to X_DEDUP */
};

/* What the vhosts of a node share. */
struct sim {
    struct random_stream random;
    uint64_t seed;
    bool verbose;
    struct sim_vhost vhosts[VHOSTS_MAX];
    unsigned vhost_count;
    struct account *account;
    bool disk_failing;
    unsigned depth; /* commands that have stopped, in all vhosts */
    bool calm;      /* nothing happens between portions */
    bool crash_due; /* the machine has stopped between two portions of a command */
    /* The last steps. */
    char trail[64][160];
    unsigned long trail_count;
    unsigned long steps, deliveries, crashes, worlds;
    /* How often things were checked, or happened: so that it shows when they never do. */
    unsigned long sure_checked, quiet_checked, counts_checked, kinds_checked, levels_checked,
        hinged, duplicates, failures;
    unsigned long vhosts_deleted, stops, steps_between, crashes_between, answers, take_overs,
        timed_out;
    unsigned long pages_in, pages_out, pages_out_failed;
    unsigned long steps_max; /* where the world ends */
};
extern struct sim sim;
/* The vhost that the step under way is in. */
extern struct sim_vhost *here;

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
void world_clear(void);  /* deletes all */
void world_import(void); /* declares all, be it there or not, as an import of definitions does */
void policy_toggle(unsigned p);

/* exchanges.c */
void exchanges_make(void);
void exchanges_show(struct text *out);
void exchanges_declare(const char *who, bool all); /* and what binds exchanges */
void exchanges_bind(const char *who, unsigned q);  /* the queue to all that it is to be bound to */
void exchanges_queue_gone(unsigned q);
void exchanges_crashed(void);   /* what is there now? */
void exchanges_look(void);      /* are they there? */
void exchange_late(bool there); /* that of late letters */
void exchanges_clear(void);
/* Which queues get a message of this exchange and key; loose: or may get it later. */
queue_mask exchanges_route(unsigned x, unsigned key, bool loose);
void unbind_some(void);
void delete_exchange(void);

/* ledger.c */
unsigned ledger_new(void);
void ledger_published(unsigned uid);
void ledger_end(struct sim_channel *channel, struct handle *handle, int how);
void ledger_answered(unsigned uid, bool nack);
/* Purged or deleted; exactly: all that was in it is gone, and nothing was under way to it. */
void ledger_queue_emptied(unsigned q, bool deleted, bool exactly);
/* Messages of the exchange that are not in queues yet may have lost their way. */
void ledger_unrouted(unsigned x);
void ledger_synced(void);
void ledger_crashed(void);
void ledger_all_gone(void);
void ledger_clear(void);
static inline void copy_doubt(struct copy *copy, bool so)
{
    copy->unsure |= so;
    copy->hinges &= !so;
}
void copy_enters(struct copy *copy, unsigned q);
void copy_make(struct sim_message *message, unsigned q);
/* What is in a queue that is bounded may have been too much. */
void ledger_bounds(void);

/* delivery.c: a delivery came out. */
unsigned message_number(const struct message *message); /* that its body tells */
void ledger_delivered(int peer, unsigned channel, unsigned queue, const struct event *event,
                      struct message *message, uint64_t tag, bool redelivered, bool no_ack);

/* transactions.c: a commit begins, acks, is answered; something of it is delivered. */
unsigned transaction_new(void);
void transaction_acks(unsigned number, const struct handle *handle);
void transaction_answered(unsigned number);
void transaction_delivered(const struct sim_message *message, struct copy *copy, unsigned uid);
bool transaction_open(unsigned number); /* nobody knows whether it is on disk */

/* order.c: the queue delivers a message, for the first time or again. */
void order_check(unsigned q, unsigned uid, bool first);

/* returns.c */
void returns_begin(struct copy *copy); /* it is in a queue for the first time */
void returns_unknown(struct copy *copy);
void returns_add(struct copy *copy, int how);
void returns_synced(struct copy *copy);
void returns_crashed(struct copy *copy);
/* again: it has been delivered by this queue before. */
void returns_check(const struct sim_queue *queue, const struct copy *copy, unsigned uid, bool again,
                   const struct counts *counts);
void returns_learn(const struct sim_queue *queue, struct copy *copy, const struct counts *counts);

/* dedup.c */
/* Before a message with an identifier is published: which of its targets will not get it, since
 * it came before; *perhaps: which may not. */
queue_mask dedup_refused(const struct sim_message *message, queue_mask *perhaps);
void dedup_published(unsigned uid); /* X_DEDUP knows it from now on */
void dedup_delivered(const struct sim_message *message, unsigned origin, unsigned q);
void dedup_crashed(void);
void dedup_forgotten(void);

/* active.c: a consumer comes; gets something. */
void active_comes(unsigned p, unsigned c, unsigned q);
void active_delivered(unsigned p, unsigned c, unsigned q);

/* handles.c */
void handle_add(struct handles *handles, const struct handle *handle);
struct handle handle_take(struct handles *handles, unsigned at);
void uid_add(struct uids *uids, unsigned uid);

/* channels.c */
const char *who_of(unsigned p, unsigned c);
void consumer_over(unsigned p, unsigned c, unsigned q);
/* All that is out goes back, as END_…; consumers end. */
void release_all(unsigned p, unsigned c, int how);
void timed_out(unsigned p, unsigned c, unsigned q); /* a consumer: what it holds goes back */
void forget_channel(struct sim_channel *channel);
void close_channel(unsigned p, unsigned c);
void leave(unsigned p);
void detach(unsigned p); /* leaves, and comes back */
void open_all(void);

/* events.c */
void on_event(void *context, char peer, const struct event *event);
void on_command(void *context, char peer, const struct command *command);

/* publishing.c */
struct message *make_message(unsigned uid, const char *exchange, const char *key,
                             const struct text *headers, uint64_t ttl_ms);
void publish(unsigned p, unsigned c);

/* replies.c */
void replies(unsigned p, unsigned c);
void replies_over(struct sim_channel *channel); /* the channel consumes none any more */
void replies_question(const struct sim_message *message, unsigned uid, struct bytes reply_to);
void replies_check(unsigned uid); /* an answer has come, if it was to come */
void replies_delivered(int peer, unsigned channel, const struct event *event);
void replies_returned(unsigned uid);

/* portions.c */
void between_portions(struct harness *h);
bool may_act(unsigned p); /* the peer has no command under way */
bool holds_batch(void);   /* a commit is under way, and nothing is written before it is through */

/* consuming.c */
void consume(unsigned p, unsigned c, unsigned q);
void give_credit(unsigned p, unsigned c);
bool gets_wait(void);
void get(unsigned p, unsigned c, unsigned q);
void settle(unsigned p, unsigned c);
void tx_end(unsigned p, unsigned c);
void recover(unsigned p, unsigned c);

/* machine.c */
void crash(void); /* of the machine, with all its vhosts */
void vhost_delete(void);
void vhost_make(void);
void sync_all(void); /* a disk that failed works again */
void pass(uint64_t ms);
void disk_begins_to_fail(void);
void disk_works_again(void);

/* steps.c */
void step(void);    /* of the vhost that is here */
void run_out(void); /* what a step between portions has left to be done */
void drain(void);

/* checks.c */
/* How many are ready; *limit: how many may be for a publish to be taken. */
uint64_t check_room(unsigned q, uint64_t *limit);
void check_counts(void);
void check_quiet(void); /* after a sync */
void check_nothing_left(void);

#endif
