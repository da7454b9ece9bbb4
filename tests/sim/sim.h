/* The simulator of the core: worlds of queues, exchanges and policies made at random from a seed,
 * steps of clients, time and crashes, and a ledger of what must have become of each message.
 * Everything repeats from the seed. Thread: one.
 *
 * A node has one to three vhosts, each with a world of its own; a step is in one of them, `here`.
 * world.c makes worlds and exchanges.c their exchanges and bindings; steps.c chooses what happens:
 * publishing.c, consuming.c, looking.c and channels.c do what clients do; machine.c has time, disk,
 * crashes and the deletion of a vhost; portions.c acts between the portions of a command; events.c
 * receives the core's events. ledger.c knows the messages, and delivery.c compares deliveries with
 * it: order.c knows which message comes first, returns.c how often it came back, active.c which
 * consumers are active, transactions.c which commits are on disk, dedup.c the identifiers and
 * replies.c the direct replies. checks.c compares the core's own numbers. When something is wrong,
 * sim_fail prints the worlds, the last steps and the seed. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include "../unit/core_harness.h"
#include "leveret/base/random.h"
#include "leveret/broker/sample.h"

#define QUEUES_MAX   8 /* number of bits in a queue_mask */
#define KEYS         4
#define PEERS        4
#define CHANNELS     3
#define POLICIES_MAX 6
#define IDENTIFIERS  24 /* number of identifiers that messages are deduplicated by; 0 is none */
#define NOBODY       (-1)
#define LEVELS       32 /* number of priorities */
#define VHOSTS_MAX   3

typedef uint8_t queue_mask;

/* ---- The world: fixed once it is made, except which policies are set and which queues exist. */

struct sim_queue {
    char name[8];
    char flags[4];
    struct text arguments;
    bool stored;     /* true when it survives a crash */
    bool keeps_all;  /* true for a quorum queue: it keeps transient messages too */
    bool fleeting;   /* true when it is deleted by itself: exclusive, auto-delete, x-expires */
    bool single;     /* true when it has a single active consumer */
    bool may_drop;   /* true when it may drop a message because of time, length or number of
                        deliveries */
    bool may_refuse; /* true when it may refuse a publish */
    bool at_least_once;
    bool dead_letters;    /* true when an argument makes it dead-letter, always */
    bool letters_perhaps; /* true when a policy may make it dead-letter */
    bool lossless;        /* true when it loses messages only by ack, purge or deletion */
    bool exclusive;
    bool dedups;  /* true when it refuses a message whose identifier is in it */
    bool bounded; /* true when it drops or refuses messages only for its lengths */
    uint64_t length_max, bytes_max; /* UINT64_MAX: no limit */
    bool counts;                    /* true when it counts returns, whatever its policies are */
    enum {
        COUNTS_ALL,
        COUNTS_FAILURES,
        COUNTS_EITHER
    } counting;              /* the returns that count for its delivery limit */
    unsigned delivery_limit; /* of a queue that counts; UINT_MAX: it has none, or it may change */
    unsigned priority_max;
    uint64_t ttl_ms;       /* by argument; 0: none */
    queue_mask next;       /* queues that its dead letters may go to */
    queue_mask reach_drop; /* queues in which a message of it may be later without a rejection */
    queue_mask reach;      /* the same, with rejections */
    /* What is so now. */
    struct queue_numbers sampled; /* in the queue's last sample */
    bool exists;
    bool leaving;                    /* true while its deletion is being done */
    unsigned out;                    /* number of deliveries that are not settled */
    unsigned consumers;              /* number of consumers, on channels that are open */
    int active_peer, active_channel; /* with single, the consumer of the last delivery, or NOBODY */
    /* A consumer that was active and must give way to a better one. */
    int fading_peer, fading_channel;
    unsigned fading;                       /* that consumer's number; 0: there is none */
    int exclusive_peer, exclusive_channel; /* the exclusive consumer, or NOBODY */
    uint64_t last_order[LEVELS]; /* by priority: the order of the last message that was delivered
                                    for the first time */
};

enum sim_routing { ROUTE_KEYS, ROUTE_ALL, ROUTE_ONE };
struct sim_exchange {
    const char *name, *type;
    enum sim_routing routing;
    bool delays, dedups, used;
    /* Queues that must be bound, by key; with ROUTE_ALL and ROUTE_ONE in keys[0]. */
    queue_mask keys[KEYS];
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
    /* The first is the sink, which is durable and has no limits. */
    struct sim_queue queues[QUEUES_MAX];
    struct sim_exchange exchanges[X_COUNT];
    struct sim_policy policies[POLICIES_MAX];
    unsigned policy_count;
    bool message_ttl, tracing, time_outs;
    bool time_outs_cancel; /* true when a time-out cancels consumers and does not fail channels */
    bool identifiers;      /* true when messages may have an identifier */
    bool replies;          /* true when channels ask and answer by direct replies */
    bool priorities;       /* true when messages may have a priority */
    bool all_returns;      /* true when all returns count for limits that are set */
    bool heavy;            /* true when some bodies are so large that they are paged out */
    bool unbinds;          /* true when bindings and exchanges are removed, too */
    bool disk_fails;       /* true when the disk fails sometimes, for a while */
    bool chained;          /* true while the exchange binding of X_CHAIN exists */
    bool late;             /* true while the exchange for late letters exists */
    unsigned crashes;      /* how many of 1000 steps are crashes */
    struct text shown;
};

/* ---- The ledger. */

enum place { NOWHERE, BROKER, OUT, GONE };
/* How often something happened: at least min, which is on disk, at most max. */
struct tally {
    uint16_t is, min, max;
};
/* The counts in a delivery's headers; -1: the header is missing. */
struct counts {
    int64_t acquired, counted;
};
/* A message's copy for one queue that it was routed to, and where the copy went from there. */
struct copy {
    uint8_t place;
    uint8_t queue; /* OUT: the queue that delivered it; BROKER: the queue where it was seen last */
    queue_mask at; /* BROKER: queues that it may be in */
    queue_mask left; /* queues that it was rejected from, which must not deliver it again */
    bool unsure;     /* true when it may be gone */
    bool hinges;     /* true when that is only because its commit may not be on disk */
    bool refusable;  /* true when the queue may have refused it */
    bool been_out;   /* true when `queue` delivered it and it came back */
    bool doubtful; /* true after a crash: marks may be wrong, and counts need only be within bounds
                    */
    bool survivor; /* true when it has survived a crash */
    bool settled_synced;
    struct tally returns, failures; /* of deliveries by `queue` */
    unsigned acked_in;              /* the number of the commit that acks it; 0: none */
    bool failures_unknown;          /* true when a crash has left failures as an upper bound only */
};
struct sim_message {
    uint64_t order, expires_ms, due_ms;
    queue_mask targets;
    bool one_of, resolved, persistent, on_disk, answered, mandatory, returned;
    bool loose; /* true when it is routed later than it was published, so that queues and bindings
                   may change before */
    bool unordered; /* true when others were published while it was given to its queues */
    bool unrouted;  /* of a loose one: true when an exchange or binding on its way was missing for a
                       time */
    bool synced;    /* true once it was on disk, with everything done before it */
    bool refusable; /* true when one of its queues may have refused it */
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
    unsigned consumer; /* the consumer's number; 0: a get */
    bool gone;         /* true when its queue was deleted */
    uint8_t how;       /* how it is settled in a transaction that is not committed */
};
struct handles {
    struct handle *at;
    unsigned count, room;
};
/* How deliveries come back. END_TIME_OUT: the delivery that was out too long is returned; the
 * consumer's others count as failures. */
enum { END_ACK, END_REJECT, END_REQUEUE, END_FAIL, END_TIME_OUT };

struct uids {
    unsigned *at;
    unsigned count, room;
};

struct sim_channel {
    bool open, confirm, tx, failed, committing;
    bool may_fail; /* true when its last command may fail it */
    bool consuming[QUEUES_MAX];
    /* By queue, the number of its consumer in the vhost, from 1 up. */
    unsigned consumer[QUEUES_MAX];
    int priority[QUEUES_MAX]; /* that consumer's priority */
    unsigned asker;  /* its number from 1 up while it consumes direct replies; 0: it does not */
    uint64_t late;   /* a delivery that a time-out took from it; 0: none */
    unsigned commit; /* the number of its last commit */
    unsigned gets;
    unsigned unanswered;          /* number of commands that have no reply yet */
    enum command_type last_asked; /* the last command of these */
    uint64_t answered;            /* number of publishes that are confirmed */
    /* With confirms: by number from 1; in a transaction: those not committed yet. */
    struct uids published;
    struct uids committed; /* in a transaction: those whose commit-ok must still come */
    struct handles handles, tx_handles;
};

/* A commit, and whether it is on disk. */
struct sim_tx {
    enum { TX_OPEN, TX_DONE, TX_UNDONE } state;
};

/* A consumer of direct replies, at present or earlier. */
#define REPLY_CONSUMER 1000
struct sim_asker {
    bool alive;
    unsigned p, c;
    char name[120]; /* empty until one of its questions was delivered */
};

/* One vhost of the node, and all that the simulator knows of it. */
struct sim_vhost {
    unsigned number;
    char name[4];
    struct harness h;
    struct sim_world world;
    bool there; /* false once it is deleted */
    /* Number of commands that have stopped between two portions: see portions.c. */
    unsigned under_way;
    bool busy[PEERS + 1]; /* true for the peers of these commands; the last one imports */
    int asking;           /* the peer whose command the core is doing */
    unsigned asking_channel;
    enum command_type asked; /* COMMAND_CHANNEL_CLOSE: the peer or its channel ends */
    bool to_be_deleted;      /* true when it must be deleted as soon as no command is being done */
    struct sim_channel channels[PEERS][CHANNELS + 1];
    uint64_t owed[PEERS];
    struct sim_message *messages;
    unsigned message_count, message_room;
    uint64_t order;
    struct sim_asker *askers;
    unsigned asker_count, asker_room;
    unsigned consumers; /* number of consumers that it has had */
    struct sim_tx *txs;
    unsigned tx_count, tx_room;
    int got_queue;
    struct {
        enum { UNKNOWN, PERHAPS, KNOWN } state;
        unsigned uid;
    } known[IDENTIFIERS]; /* identifiers that X_DEDUP knows */
};

/* The state that the vhosts of a node share. */
struct sim {
    struct random_stream random;
    uint64_t seed;
    bool verbose;
    struct sim_vhost vhosts[VHOSTS_MAX];
    unsigned vhost_count;
    struct account *account;
    bool disk_failing;
    unsigned depth; /* number of commands that have stopped, in all vhosts */
    bool calm;      /* true when nothing happens between portions */
    bool crash_due; /* true once the machine has stopped between two portions of a command */
    /* The last steps. */
    char trail[64][160];
    unsigned long trail_count;
    unsigned long steps, deliveries, crashes, worlds;
    /* How often each check was made and each event happened, to show which never do. */
    unsigned long sure_checked, quiet_checked, counts_checked, kinds_checked, levels_checked,
        hinged, duplicates, failures;
    unsigned long vhosts_deleted, stops, steps_between, crashes_between, answers, take_overs,
        timed_out;
    unsigned long pages_in, pages_out, pages_out_failed;
    unsigned long steps_max; /* the step with which the world ends */
};
extern struct sim sim;
/* The vhost that the current step is in. */
extern struct sim_vhost *here;

void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void sim_trail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for lines that are too many to keep: printed only with SIM_VERBOSE. */
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
void world_declare(void); /* declares all that does not exist */
void world_look(void);    /* notes which queues are gone */
void world_queue_gone(unsigned q);
void world_clear(void);  /* deletes all */
void world_import(void); /* declares all, also what exists, as an import of definitions does */
void policy_toggle(unsigned p);

/* exchanges.c */
void exchanges_make(void);
void exchanges_show(struct text *out);
void exchanges_declare(const char *who, bool all); /* and their bindings to each other */
/* Binds the queue to all exchanges that it should be bound to. */
void exchanges_bind(const char *who, unsigned q);
void exchanges_queue_gone(unsigned q);
void exchanges_crashed(void);   /* finds out which exchanges exist after a crash */
void exchanges_look(void);      /* finds out which exchanges exist */
void exchange_late(bool there); /* notes whether the exchange for late letters exists */
void exchanges_clear(void);
/* The queues that get a message of this exchange and key; with loose, also those that may get it
 * later. */
queue_mask exchanges_route(unsigned x, unsigned key, bool loose);
void unbind_some(void);
void delete_exchange(void);

/* ledger.c */
unsigned ledger_new(void);
void ledger_published(unsigned uid);
void ledger_end(struct sim_channel *channel, struct handle *handle, int how);
void ledger_answered(unsigned uid, bool nack);
/* The queue was purged or deleted. exactly: all messages in it are gone, and none was on its way to
 * it. */
void ledger_queue_emptied(unsigned q, bool deleted, bool exactly);
/* Messages of the exchange that are not in queues yet may not reach them. */
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
/* Messages in queues with limits may have been dropped. */
void ledger_bounds(void);

/* delivery.c: a delivery came out. */
unsigned message_number(const struct message *message); /* the number in its body */
void ledger_delivered(int peer, unsigned channel, unsigned queue, const struct event *event,
                      struct message *message, uint64_t tag, bool redelivered, bool no_ack);

/* transactions.c: a commit begins, acks and is answered; a message of it is delivered. */
unsigned transaction_new(void);
void transaction_acks(unsigned number, const struct handle *handle);
void transaction_answered(unsigned number);
void transaction_delivered(const struct sim_message *message, struct copy *copy, unsigned uid);
bool transaction_open(unsigned number); /* true while it is not known whether it is on disk */

/* order.c: the queue delivers a message, for the first time or again. */
void order_check(unsigned q, unsigned uid, bool first);

/* returns.c */
void returns_begin(struct copy *copy); /* the copy is in a queue for the first time */
void returns_unknown(struct copy *copy);
void returns_add(struct copy *copy, int how);
void returns_synced(struct copy *copy);
void returns_crashed(struct copy *copy);
/* again: this queue has delivered it before. */
void returns_check(const struct sim_queue *queue, const struct copy *copy, unsigned uid, bool again,
                   const struct counts *counts);
void returns_learn(const struct sim_queue *queue, struct copy *copy, const struct counts *counts);

/* dedup.c */
/* Before a message with an identifier is published: the targets that will not get it, because they
 * know the identifier; *perhaps: those that may not get it. */
queue_mask dedup_refused(const struct sim_message *message, queue_mask *perhaps);
void dedup_published(unsigned uid); /* X_DEDUP knows its identifier from now on */
void dedup_delivered(const struct sim_message *message, unsigned origin, unsigned q);
void dedup_crashed(void);
void dedup_forgotten(void);

/* active.c: a consumer begins; it gets a message. */
void active_comes(unsigned p, unsigned c, unsigned q);
void active_delivered(unsigned p, unsigned c, unsigned q);

/* handles.c */
void handle_add(struct handles *handles, const struct handle *handle);
struct handle handle_take(struct handles *handles, unsigned at);
void uid_add(struct uids *uids, unsigned uid);

/* channels.c */
const char *who_of(unsigned p, unsigned c);
void consumer_over(unsigned p, unsigned c, unsigned q);
/* All deliveries of the channel come back, as END_… says, and its consumers end. */
void release_all(unsigned p, unsigned c, int how);
void timed_out(unsigned p, unsigned c, unsigned q); /* a consumer's deliveries come back */
void forget_channel(struct sim_channel *channel);
void close_channel(unsigned p, unsigned c);
void leave(unsigned p);
void detach(unsigned p); /* detaches the peer and attaches it again */
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
void replies_over(struct sim_channel *channel); /* the channel stops consuming replies */
void replies_question(const struct sim_message *message, unsigned uid, struct bytes reply_to);
void replies_check(unsigned uid); /* checks that an answer has come, if it must */
void replies_delivered(int peer, unsigned channel, const struct event *event);
void replies_returned(unsigned uid);

/* portions.c */
void between_portions(struct harness *h);
bool may_act(unsigned p); /* true when no command of the peer is being done */
bool holds_batch(void);   /* true while a commit is being done: nothing is written before its end */

/* consuming.c */
void consume(unsigned p, unsigned c, unsigned q);
void give_credit(unsigned p, unsigned c);
bool gets_wait(void);
void get(unsigned p, unsigned c, unsigned q);
void settle(unsigned p, unsigned c);
void tx_end(unsigned p, unsigned c);
void recover(unsigned p, unsigned c);

/* looking.c */
void look_at(unsigned p, unsigned c, unsigned q);
void look_seen(const struct peeked *peeked); /* a message is shown */

/* machine.c */
void crash(void); /* of the machine, with all its vhosts */
void vhost_delete(void);
void vhost_make(void);
void sync_all(void); /* syncs all; a disk that failed works again */
void pass(uint64_t ms);
void disk_begins_to_fail(void);
void disk_works_again(void);

/* steps.c */
void step(void);    /* one step in the vhost `here` */
void run_out(void); /* does what a step between portions has left */
void drain(void);

/* checks.c */
/* The number of messages ready; *limit: the most with which the queue still takes a publish. */
uint64_t check_room(unsigned q, uint64_t *limit);
void check_counts(void);
/* numbers.c: a queue's sums against a count of its messages, and samples against what has changed.
 */
void check_sums(const struct sim_queue *queue, const struct queue_info *info);
void check_samples(void);
void check_quiet(void); /* after a sync */
void check_nothing_left(void);

#endif
