/* The layout of a vhost, for the files of the core. Thread: the vhost's owner. */
#ifndef BROKER_VHOST_STATE_H
#define BROKER_VHOST_STATE_H

#include "broker/call/holding.h"
#include "broker/call/work.h"
#include "broker/channel/peer.h"
#include "broker/dedup/dedup.h"
#include "broker/delay/delay.h"
#include "broker/notice/notice.h"
#include "broker/policy/policy.h"
#include "broker/queue/dead_letter.h"
#include "broker/store/definition.h"
#include "broker/store/returns.h"
#include "broker/topology/route.h"
#include "broker/topology/topology.h"
#include "leveret/base/random.h"
#include "leveret/base/roster.h"

TAILQ_HEAD(channel_queue, channel);
TAILQ_HEAD(queue_list, queue);

struct vhost {
    struct vhost_options options;
    struct bytes name;
    struct vhost_tuning tuning;
    bool watched; /* options.told is called */
    struct notices notices;
    struct moment now;      /* of the call under way */
    struct applied applied; /* by the call under way */
    uint32_t portion;       /* units at which a call stops; UINT32_MAX: none does */
    struct random_stream random;
    struct topology *topology;
    struct map queues;          /* by name */
    struct route_memory *route; /* of publish_internal; NULL: none yet */
    struct roster queue_roster, consumer_roster, channel_roster;
    struct peer_list peers;
    uint32_t peer_count;

    struct policies policies;

    /* Dispatch and promises. */
    struct queue_list due;              /* to be dispatched before the call ends; by due_link */
    struct consumer_waits waits_due;    /* to be woken then */
    struct channel_queue promises_due;  /* by promise_link: the first promise can leave */
    struct channel_queue promises_held; /* by promise_link: it waits for a batch */
    uint64_t committed;                 /* the last batch on disk */
    bool journalled; /* the command under way has written something to the journal */
    bool recovering; /* what changes comes from the journal */

    struct dead_letters dead_letters;
    struct queue_list over; /* over their length limits: to be shortened; by over_link */

    /* Lanes. */
    struct map lanes; /* from &lane->handle (the handle's bytes) to struct lane * */
    uint64_t lane_next, lane_reserved; /* ids below lane_reserved are on record as used */

    /* Paging. */
    uint64_t memory_bytes; /* of messages in memory */
    uint64_t pages_out;    /* page-outs under way */
    uint64_t page_out_ms;  /* steady: when the next one may be, one having failed; 0: at once */
    struct chunk_queue
        leaving;              /* durable, closed: go when their batch is on disk; by paging_link */
    struct chunk_queue heavy; /* with transient messages, closed: go when memory is short */

    /* Time. */
    struct heap expiry;      /* queue->expiry: wall clock */
    struct heap idle;        /* queue->idle: steady clock */
    uint64_t timeout_min_ms; /* the shortest consumer time-out there is; UINT64_MAX: none */
    uint64_t
        timeout_check_ms; /* steady: when deliveries are looked through; UINT64_MAX: none are out */
    uint64_t timeout_after; /* the channel up to which that is done */

    struct dedups dedups;
    struct delays *delays;      /* what waits in exchanges; NULL: nothing ever did */
    struct map reply_consumers; /* by token */
    uint32_t reply_consumers_made;

    struct chunk_queue rubble; /* of lanes that were cleared: freed in portions; by paging_link */
    /* Failed outside of a command, or with overdue deliveries: to be released; by release_link. */
    struct channel_queue releasing;
    struct channel *committing; /* its transaction is half committed; NULL: none is */
    bool committed_in_portions; /* one was in this turn: the batch is to go first */

    struct returns_list returns_changed; /* counts to be put on record at the end of the turn */

    uint64_t holding[ACCOUNT_KIND_COUNT]; /* bytes told to options.account (holding.h) */

    uint64_t ready, unsettled;
    struct rates rates; /* of publishers, and what no queue has counted */
    /* The rest, but for what costs a message less when it is worked out when somebody asks:
     * sizes[0], routed, received_confirm (counters_told). */
    struct counters counters;
    uint64_t small_bytes_max[2]; /* bodies up to [0] are not counted, those up to [1] are of
                                    sizes[1], and above it they are looked at: large_body */
    /* Published messages that were not routed: refused, in a transaction that is open or was rolled
     * back, or to an exchange that has gone. And queues that got a message beyond its first one,
     * less the messages that none got. */
    uint64_t not_routed, routed_more;
    uint64_t too_large;       /* published messages that were refused for their size */
    uint64_t never_confirmed; /* published on channels that ended before their confirms */
    struct refusal refusal;   /* of the call under way */
    struct text typed;        /* the arguments of the queue that is being declared, with its type */
};

#define COUNT(channel, queue, what)                                                                \
    ((channel)->rates.what++, (queue)->rates.what++, (queue)->type_rates->what++)

/* ---- Work (work.h). */

static inline void vhost_spend(struct vhost *vhost, uint64_t units)
{
    uint64_t sum = vhost->applied.units + units;
    vhost->applied.units = sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

/* How many things that cost so much each the call under way may still do. */
static inline uint64_t vhost_left(const struct vhost *vhost, uint32_t units_each)
{
    uint32_t spent = vhost->applied.units;
    if (vhost->portion == UINT32_MAX)
        return UINT64_MAX;
    return spent < vhost->portion ? (vhost->portion - spent + units_each - 1) / units_each : 0;
}

static inline void vhost_set_message_bytes_max(struct vhost *vhost, uint64_t max)
{
    vhost->options.limits.message_bytes_max = max;
    for (unsigned i = 0; i < 2; i++)
        vhost->small_bytes_max[i] = max < counted_size_bytes[i] ? max : counted_size_bytes[i];
}

/* A call begins. */
static inline void vhost_enter(struct vhost *vhost, struct moment now)
{
    vhost->now = now;
    vhost->journalled = false;
    vhost->applied = (struct applied){0};
}

/* Runs what a call has left to do: dispatch of queues that are due. Returns what the call has cost,
 * so that a call can end with it. */
struct applied vhost_settle_down(struct vhost *vhost);

static inline void vhost_memory(struct lane *lane, int64_t bytes)
{
    lane->vhost->memory_bytes += (uint64_t)bytes;
    lane->stock->memory_bytes += (uint64_t)bytes;
}

static inline struct queue *vhost_queue(const struct vhost *vhost, struct bytes name)
{
    return map_get(&vhost->queues, name);
}

/* The journal's key that says up to where lane ids are taken; see also enum definition_kind. */
#define LANES_KEY 'l'
/* The first of that many neighbouring lane ids that were never used. */
uint64_t vhost_lane_ids(struct vhost *vhost, unsigned count);

/* ---- Definitions in the journal; each marks the command as journalled. */
void vhost_put(struct vhost *vhost, const struct text *key, const struct text *value);
void vhost_erase(struct vhost *vhost, const struct text *key);
void vhost_put_queue(struct queue *queue);
void vhost_erase_queue(struct queue *queue);

/* The batch that a reply to the command under way waits for: 0, or what is filling. */
static inline uint64_t vhost_needed(const struct vhost *vhost)
{
    return vhost->journalled ? journal_await(vhost->options.journal) : 0;
}

/* ---- Consumer time-outs (timeout.c). */
/* Deliveries are out: sets timeout_check_ms, if there is a time-out. */
void timeout_arm(struct vhost *vhost);
/* There is something with a time-out of its own; 0: none. */
void timeout_consider(struct vhost *vhost, uint64_t timeout_ms);
/* What applies to a delivery of the queue: the consumer's (NULL: it has none), the queue's or the
 * vhost's; 0: none. */
uint64_t timeout_ms_of(const struct queue *queue, const struct consumer *consumer);
/* Cancels the consumers, or fails the channels, that hold a delivery for too long. */
void timeout_check(struct vhost *vhost);
/* Goes on with giving back what these held. */
void timeout_release(struct vhost *vhost);
/* Whether a delivery of a channel that gives back what it holds goes back for its time-out, and not
 * by the channel's end: its consumer has been cancelled for one, or the channel fails for this. */
bool timeout_took(const struct channel *channel, const struct unsettled_entry *entry);
/* Another time-out for the queues that set none; 0: none. */
void timeout_set_default(struct vhost *vhost, uint64_t timeout_ms);

/* ---- The handlers of commands. The channel is open and not failed. */
typedef void command_handler(struct channel *channel, const struct command *command);
command_handler channel_qos, channel_confirm_select; /* channel.c */
command_handler command_exchange_declare, command_exchange_delete, command_bind,
    command_unbind;                                                               /* bind.c */
command_handler command_queue_declare, command_queue_delete, command_queue_purge; /* declare.c */
command_handler command_publish;                                                  /* publish.c */
command_handler command_consume, command_cancel, command_get;                     /* consume.c */
command_handler command_ack, command_nack, command_recover;                       /* settle.c */
command_handler command_policy;                                                   /* policy.c */
command_handler command_tx_select, command_tx_commit, command_tx_rollback;        /* tx.c */

/* ---- Pieces that handlers share. */

/* The queue that a command names, when this channel may use it. Fails the channel and returns NULL:
 * NOT_FOUND, RESOURCE_LOCKED, INTERNAL_ERROR (failed; unless for deletion). */
enum find_queue { FIND_TO_USE, FIND_TO_DELETE };
struct queue *find_queue(struct channel *channel, enum command_type command, struct bytes name,
                         enum find_queue purpose);
/* Fails the channel: the queue's stored messages cannot be read. */
void fail_unreadable(struct channel *channel, enum command_type command, const struct queue *queue);
/* The channel goes: nobody waits for these any more. */
void channel_drop_gets(struct channel *channel);
/* Whether the peer may use the queue: RESOURCE_LOCKED and false if not. */
bool check_lock(struct channel *channel, enum command_type command, const struct queue *queue);
/* Whether the names and arguments of a command that declares, binds, unbinds or consumes can be; if
 * not, fails the channel. (command_gate.c) */
bool command_gate(struct channel *channel, const struct command *command);

/* The halves of a publish, for a transaction. First: whether the message can be published. Fails
 * the channel. */
bool publish_check(struct channel *channel, const struct message *message);
/* The second half, at commit; what can no longer be published has no route. *needed is raised to
 * the batch. Returns whether all queues took it. */
bool publish_committed(struct channel *channel, struct message *message, bool mandatory,
                       uint64_t *needed);
/* Routes a message of the broker's own (dead-lettered, delayed …) by the exchange and the routing
 * key in it, CC and BCC as well, and puts it into the queues. *routed: how many; an exchange that
 * is not there routes nowhere. Returns the batch. Not from within a route or a queue's own work:
 * what it does to a queue may come back to the caller's. */
uint64_t publish_internal(struct vhost *vhost, struct message *message, size_t *routed);
/* The same, not to all queues; says more of what came of it. */
struct publishing {
    bool (*passes)(const struct queue *queue, const void *context); /* NULL: to all */
    const void *context;
    uint32_t offspring; /* of a dead letter: how many there are of its original; 0: not counted */
    bool again;         /* true: when no queue takes it, it will come once more */
    size_t routed;      /* that many queues got it */
    size_t taken;       /* that many of them did not refuse it */
    size_t dropped;     /* that many did not, because there would be too many of it */
    uint64_t needed;    /* the batch */
};
void publish_filtered(struct vhost *vhost, struct message *message, struct publishing *publishing);
/* The same from this exchange, whatever the message says, and without any delay; BCC is removed. */
void publish_delayed(struct vhost *vhost, struct exchange *exchange, struct message *message);
/* Publishes to an exchange a message that another one has kept: it stays that other's. Returns to
 * how many queues it went. */
size_t publish_through(struct vhost *vhost, struct exchange *exchange, struct message *message);
void route_memory_free(struct route_memory **memory);

/* A delivery goes out that is to be settled. */
static inline void unsettled_note(struct channel *channel, uint64_t tag, struct lane *lane,
                                  uint64_t seq, struct consumer *consumer)
{
    struct vhost *vhost = channel->vhost;
    /* Rounded up: nobody's time is over too early. */
    uint32_t since_s = (uint32_t)((vhost->now.steady_ms + 999) / 1000);
    struct unsettled_entry entry = {tag, seq, lane, consumer, since_s};
    unsettled_add(&channel->unsettled, &entry);
    if (__builtin_expect(vhost->timeout_check_ms == UINT64_MAX, 0))
        timeout_arm(vhost);
}

/* A delivery is over: queue, consumer and channel let go of it. */
void settle_entry(struct channel *channel, const struct unsettled_entry *entry);
void requeue_entry(struct channel *channel, const struct unsettled_entry *entry);
void fail_entry(struct channel *channel,
                const struct unsettled_entry *entry); /* requeues; RETURN_FAILURE */
void reject_entry(struct channel *channel, const struct unsettled_entry *entry);
/* The channel has settled something: its blocked consumers may go on. */
void channel_settled(struct channel *channel);

/* Deletes the queue if it is auto-delete and its last consumer has left. */
void queue_consumer_left(struct queue *queue);

/* ---- A message to very many queues, in portions (spread.c). */
/* Whether it is one: it then has begun, and channel->spread is not NULL unless it is through. */
bool spread_begin(struct channel *channel, struct message *message,
                  const struct route_result *result, uint64_t needed);
/* Goes on with it. */
void spread_go_on(struct channel *channel);
void spread_free(struct channel *channel);

/* ---- Transactions (tx.c). */
void tx_publish(struct channel *channel, struct message *message, bool mandatory);
/* Whether the channel's transaction may have one thing more, of so many bytes; else the channel has
 * failed. */
bool tx_admits(struct channel *channel, enum command_type command, uint64_t bytes);
/* How a delivery ends. */
typedef void settlement(struct channel *channel, const struct unsettled_entry *entry);
void tx_settle(struct channel *channel, const struct unsettled_entry *entry, settlement *how);
void tx_free(struct channel *channel); /* what was acked in it becomes unsettled again */
void tx_pending(const struct channel *channel, uint64_t *messages, uint64_t *acks);

/* ---- Direct reply-to (reply_to.c). */
/* Whether a queue that is not there could be declared, whoever declares it: its name; its
 * arguments, which *out then holds, and flags. Errors: as queue_settings_parse; ACCESS_REFUSED.
 * (declare.c) */
MUST_USE enum status queue_name_check(struct bytes name, bool server_named,
                                      struct refusal *refusal);
/* What COMMAND_EXCHANGE_DECLARE asks for (bind.c); its views are the command's. */
struct exchange_declaration exchange_declaration_of(const struct command *command);
/* The type of a queue whose declaration does not say it, in a vhost with this default. */
enum queue_type queue_default_type(const struct command *command, enum queue_type by_default);
MUST_USE enum status queue_declaration_check(const struct command *command, struct bytes vhost,
                                             struct queue_settings *out, struct refusal *refusal);
/* The same of a policy. Errors: PRECONDITION_FAILED. (policy.c) */
MUST_USE enum status policy_check(const struct command *command, struct refusal *refusal);

bool reply_to_is_pseudo(struct bytes queue); /* amq.rabbitmq.reply-to */
bool reply_to_is_name(struct bytes queue);   /* amq.rabbitmq.reply-to.TOKEN */
bool reply_to_exists(struct vhost *vhost, struct bytes name);
void reply_to_begin(struct channel *channel, uint32_t id);
bool reply_to_cancel(struct channel *channel, uint32_t consumer); /* whether it was that one */
void reply_to_close(struct channel *channel);
/* Delivers when the routing key is the name of a reply consumer. */
bool reply_to_deliver(struct vhost *vhost, struct message *message);
/* Whether the message asks for a direct reply (reply-to is the pseudo-queue's name). */
bool reply_to_asked(const struct message *message);
/* Replaces the message (and the reference) by one whose reply-to is the channel's own, or fails the
 * channel: PRECONDITION_FAILED. */
void reply_to_rewrite(struct channel *channel, struct message **message);

/* Frees what cleared lanes left behind, at most so many chunks (lane.c). */
void rubble_clear(struct vhost *vhost, uint64_t max);

/* ---- Paging (paging.c). */
/* Lets page-outs be tried again when the pause after one that failed is over. */
void paging_tick(struct vhost *vhost);
/* When it is over, by the steady clock; UINT64_MAX: there is none. */
static inline uint64_t paging_deadline_ms(const struct vhost *vhost)
{
    return vhost->page_out_ms ? vhost->page_out_ms : UINT64_MAX;
}
void paging_closed(struct chunk *chunk);                      /* a chunk takes no more */
void paging_passed(struct lane *lane, uint64_t chunk_number); /* the cursor left it */
void paging_forget(struct chunk *chunk);                      /* it is about to be freed */
/* Asks for a chunk, if it is on disk. */
void paging_read(struct chunk *chunk);
/* Makes sure that the head comes into memory, and some of what follows. */
void paging_read_ahead(struct lane *lane);
/* Asks for all of a lane that is not in memory; returns how many chunks will come. */
unsigned paging_read_all(struct lane *lane);
void paging_lane_dropped(struct lane *lane); /* its reports will not come */
void paging_committed(struct vhost *vhost);
void paging_relieve(struct vhost *vhost); /* memory may be short */

struct topology_observer vhost_observer(struct vhost *vhost);
void notice_tell(const struct vhost *vhost, const char *event, struct text *headers);
void notice_put_arguments(struct text *out, struct bytes arguments);
void command_channel_open(struct peer *peer, const struct command *command);
void command_channel_close(struct peer *peer, const struct command *command);
bool paging_paged_out(struct vhost *vhost, struct journal_lane *handle, uint64_t number,
                      enum status status);
void paging_stalled(struct vhost *vhost, struct journal_lane *handle, enum status status);
void paging_paged_in(struct vhost *vhost, struct journal_page *page);
void notice_add(struct vhost *vhost, struct message *message);
void notice_properties(struct bytes headers, uint8_t delivery_mode, uint64_t timestamp_s,
                       struct text *out);
bool policy_apply_to_queue(struct queue *queue, unsigned *work);
void policy_apply_to_exchange(struct vhost *vhost, struct exchange *exchange, unsigned *work);
void publish_message(struct channel *channel, struct message *message, bool mandatory);
bool dead_letter_at_least_once(const struct queue *queue);
void deaths_move(struct deaths *deaths, enum deaths_state state);
void deaths_free(struct deaths *deaths);
void deaths_add(struct deaths *deaths, struct dead dead);
struct dead deaths_take(struct deaths *deaths);

#endif
