/* A vhost on a memory journal, commands in few words, and its events as lines of text, so that a
 * test reads like a conversation. Thread: one at a time.
 *
 * With HARNESS_LEVELDB defined, the journal is the one on LevelDB, in a directory under TMPDIR;
 * harness_crash then stops it in order.
 *
 * Events, one a line, with the peer's letter and the channel ("A1"):
 *   A1 ok declare q 0 0            a reply: command, and what it carries
 *   A1 fail publish NOT_FOUND no exchange 'x' in vhost '/'
 *   A1 deliver c1 t5 body [redelivered] [count 2] [acquired 3]   (its headers x-delivery-count and
 *                                  x-acquired-count; the second only when the two differ)
 *   A1 got t5 body left 3          A1 empty
 *   A1 confirm 5 [multiple] [nack]
 *   A1 return body NO_ROUTE
 *   A1 peeked 0 body ready [redelivered] [count 2] [expires] [by A1 tag t5]   (its position; the
 *                                  delivery of an unacked message)
 *   A1 cancelled c1
 *   A gate busy                    A pace slow                    A detached */
#ifndef TESTS_CORE_HARNESS_H
#define TESTS_CORE_HARNESS_H

#include <check.h>
#include <stdarg.h>

#include "leveret/base/text.h"
#include "leveret/broker/vhost.h"
#include "leveret/journal/journal_leveldb.h"
#include "leveret/journal/journal_memory.h"

#define PEERS_MAX 8

struct harness {
    const char *name;     /* the vhost's name, set before harness_open; NULL: "/" */
    uint64_t random_seed; /* vhost_options.random_seed, raised at each start; 0: 7 */
    struct journal_memory_disk *disk;
    struct journal *journal;
    struct vhost *vhost;
    struct peer *peers[PEERS_MAX]; /* 'A' is 0 */
    char letters[PEERS_MAX];       /* each peer's owner points to its letter here */
    struct moment now;
    struct text lines; /* events since the last harness_take */
    char *taken;
    size_t resident_bytes_max;
    uint32_t window_bytes;
    uint64_t consumer_timeout_ms;
    bool notify_cancel;     /* peer_options.notify_cancel of peers that attach */
    struct dialect dialect; /* vhost_options.dialect, at harness_open */
    void (*warn)(void *context, const char *text); /* vhost_options.warn, at harness_open */
    struct account *account;                       /* vhost_options.account, at harness_open */
    uint32_t portion;                              /* vhost_options.portion, at harness_open */
    uint64_t portions;                  /* number of calls that left a command unfinished */
    uint64_t units;                     /* units of work that commands have cost */
    void (*between)(struct harness *h); /* called between two portions, if not NULL; it may apply
                                           commands of other peers, detach these, set halted */
    enum status health;
    char *directory; /* on LevelDB only */
    struct journal_threads *threads;
    /* Called with each event too, if not NULL. */
    void (*watch)(void *context, char peer, const struct event *event);
    void *watch_context;
    /* Called with each command before the core gets it, if not NULL. */
    void (*watch_command)(void *context, char peer, const struct command *command);
    unsigned pages_in, pages_out, pages_out_failed; /* counted from the journal's reports */
    bool quiet;                                     /* true: events are not written to lines */
    bool break_pages;                               /* true: pages that are read back are damaged */
    bool halted; /* true: the machine has stopped; nothing reaches the core until harness_crash */
};

void harness_open(struct harness *h);
void harness_close(struct harness *h);
/* Stops the broker at this moment, so that everything not synced is lost, and starts it again
 * without peers. */
void harness_crash(struct harness *h);
/* harness_remove deletes the vhost with all that it has stored, and its peers; harness_make makes
 * it again. */
void harness_remove(struct harness *h);
void harness_make(struct harness *h);
/* Ends a turn: vhost_flush, and journal_flush if the vhost allows it. Nothing is on disk yet. */
void harness_turn(struct harness *h);
/* The disk writes the batch that was handed over, and the vhost is told. */
void harness_disk(struct harness *h);
/* Ends a turn and lets the disk work until nothing is left to do. */
void harness_sync(struct harness *h);
/* Lets time pass, and calls vhost_tick while it is due. */
void harness_pass(struct harness *h, uint64_t ms);

void harness_attach(struct harness *h, char peer);
void harness_detach(struct harness *h, char peer);
void harness_do(struct harness *h, char peer, const struct command *command);

/* The lines since the last call; valid until the next one. */
const char *harness_take(struct harness *h);
#define expect(h, text) ck_assert_str_eq(harness_take(h), text)

/* ---- Commands. who is "A1": peer and channel. */
uint16_t channel_of(const char *who);
/* Attaches the peer first if it is not attached. */
void do_open(struct harness *h, const char *who);
void do_close(struct harness *h, const char *who);
void do_plain(struct harness *h, const char *who, enum command_type type); /* no arguments */
void do_credit(struct harness *h, const char *who, uint32_t bytes);
void do_qos(struct harness *h, const char *who, uint16_t count, bool global);

/* flags: letters d durable, x exclusive, a auto-delete, p passive, n no-wait, i internal, s
 * server-named. */
void do_declare(struct harness *h, const char *who, const char *queue, const char *flags);
void do_declare_args(struct harness *h, const char *who, const char *queue, const char *flags,
                     const struct text *arguments);
void do_exchange(struct harness *h, const char *who, const char *name, const char *type,
                 const char *flags);
void do_bind(struct harness *h, const char *who, const char *exchange, const char *queue,
             const char *key);
/* flags: u if-unused, e if-empty. */
void do_delete(struct harness *h, const char *who, const char *queue, const char *flags);
void do_purge(struct harness *h, const char *who, const char *queue);
void do_pause(struct harness *h, const char *who, const char *queue, bool paused);

/* states: MESSAGE_STATE_…; from_tail: the newest first. */
void do_peek(struct harness *h, const char *who, const char *queue, unsigned states, bool from_tail,
             uint64_t offset, uint32_t count);

/* flags: p persistent, m mandatory. */
void do_publish(struct harness *h, const char *who, const char *exchange, const char *key,
                const char *body, const char *flags);
void do_publish_ttl(struct harness *h, const char *who, const char *key, const char *body,
                    uint64_t ttl_ms, const char *flags);
void do_publish_priority(struct harness *h, const char *who, const char *key, const char *body,
                         uint8_t priority, const char *flags);
/* flags: a needs acks, x exclusive, n no-wait. */
void do_consume(struct harness *h, const char *who, const char *queue, uint32_t consumer,
                const char *flags, int priority);
void do_consume_args(struct harness *h, const char *who, const char *queue, uint32_t consumer,
                     const char *flags, const struct text *arguments);
void do_cancel(struct harness *h, const char *who, uint32_t consumer);
void do_get(struct harness *h, const char *who, const char *queue, const char *flags);
void do_ack(struct harness *h, const char *who, uint64_t tag, bool multiple);
void do_nack(struct harness *h, const char *who, uint64_t tag, bool multiple, bool requeue);
void do_reject(struct harness *h, const char *who, uint64_t tag, bool requeue);

/* Replaces the message, and the caller's reference, by a copy with this priority. */
void harness_prioritise(struct message **message, uint8_t priority);
struct message *harness_message(const char *exchange, const char *key, const void *body,
                                size_t body_bytes, bool persistent);

#endif
