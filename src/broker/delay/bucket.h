/* Buckets of delayed messages, for delay/ and publish/delay_fire.c alone: see delay.h. Thread: the
 * vhost's owner. */
#ifndef BROKER_BUCKET_H
#define BROKER_BUCKET_H

#include "broker/delay/delay.h"
#include "broker/delay/due.h"
#include "broker/store/lane.h"
#include "leveret/base/heap.h"
#include "leveret/base/map.h"

enum bucket_state {
    BUCKET_RESTS,     /* its messages are on disk, but for the open chunk */
    BUCKET_LOADING,   /* its chunks are being read */
    BUCKET_LOADED,    /* all its messages are in memory and in delay->due */
    BUCKET_SPLITTING, /* its messages move to finer buckets */
    BUCKET_STREAM,    /* one entry in delay->due stands for all its messages */
    BUCKET_FAILED,    /* it cannot be read */
};

/* The list of struct delays in which a bucket stands: none, open, splitting, spent. */
enum bucket_list { BUCKET_UNLISTED, BUCKET_OPEN, BUCKET_SPLIT, BUCKET_SPENT };

struct bucket {
    struct lane lane; /* first */
    struct delay *delay;
    uint8_t level;            /* the index of its span; a higher level is finer */
    uint8_t state;            /* enum bucket_state */
    uint8_t list;             /* enum bucket_list */
    bool recorded;            /* true: its definition is in the journal */
    bool waiting;             /* true: it is splitting and waits for a page */
    uint8_t key[9];           /* in delay->buckets: level and start_ms */
    uint32_t pages;           /* loading: chunks that are still to be read */
    uint64_t start_ms;        /* wall clock: the begin of its span */
    uint64_t bytes;           /* memory that its messages take, or will take; an estimate */
    uint64_t charged_bytes;   /* its part of delays->loaded_bytes */
    uint64_t open_bytes;      /* resting: of its open chunk; its part of delays->open_bytes */
    uint64_t open_chunk;      /* the number of that chunk */
    struct heap_node prepare; /* in delays->prepare while it rests: when to load or split it */
    struct heap_node unready; /* in delay->unready while it rests, is loading or splitting */
    TAILQ_ENTRY(bucket) link; /* in the list that `list` names */
};

/* The delayed messages of one exchange. */
struct delay {
    struct delays *delays;
    struct exchange *exchange;
    struct stock stock;
    struct map buckets; /* by key */
    /* Buckets that are not in due yet, by start_ms. No message that is due at or after the start of
     * the first one may be published, since that bucket may have an earlier message. */
    struct heap unready;
    struct due_heap due;   /* messages of loaded buckets, and streams */
    struct heap_node wake; /* in delays->wake: when delay_next_step is to be done */
    bool blocked;          /* true: the stream at the head of due waits for a page */
    TAILQ_ENTRY(delay) link;
};

/* Bytes in loaded buckets of a vhost at which no other bucket is loaded ahead of time. The bucket
 * that an exchange needs next is loaded all the same. */
#define LOADED_BYTES_MAX (32u << 20)
/* Bytes in open chunks of resting buckets above which the oldest of these chunks are closed. */
#define OPEN_BYTES_MAX (16u << 20)

/* The level of the bucket for a new message with this delay. */
unsigned bucket_level(uint64_t delay_ms);
/* Finds the level with this span. Returns false if there is none. */
bool bucket_level_of_span(uint32_t span_ms, unsigned *level);
/* Wall clock: the end of the bucket's span. */
uint64_t bucket_end_ms(const struct bucket *bucket);

/* The bucket for a message that is due at due_ms, of this level or, when that bucket is full, of a
 * finer one. Makes it if there is none. */
struct bucket *bucket_for(struct delay *delay, unsigned level, uint64_t due_ms);
/* Makes a bucket of exactly this level, with this lane, for recovery. */
struct bucket *bucket_restore(struct delay *delay, unsigned level, uint64_t start_ms,
                              uint64_t lane_id);
/* Recovery has filled the bucket's lane: the bucket rests, or is spent when it is empty. */
void bucket_restored(struct bucket *bucket);
/* Puts a message in; takes a reference. *needed is set to the batch that contains it, if it is
 * journalled. */
void bucket_add(struct bucket *bucket, struct message *message, uint64_t due_ms, uint64_t *needed);
/* Takes a message out, which must be in memory; the caller gets the reference. */
struct message *bucket_take(struct bucket *bucket, struct place place);
/* Begins to load or to split a resting bucket, or makes it a stream. */
void bucket_prepare(struct bucket *bucket);
/* Moves up to max messages of a splitting bucket to finer ones; returns how many. Frees the bucket
 * after its last message. */
unsigned bucket_split(struct bucket *bucket, unsigned max);
/* A loaded bucket or a stream has become empty: frees it, or keeps it until its span is over. */
void bucket_emptied(struct bucket *bucket);
/* Frees the bucket with its messages, and erases both from the journal. */
void bucket_free(struct bucket *bucket);
/* The same, but leaves it in delay->buckets, and in the journal unless erase is true. */
void bucket_destroy(struct bucket *bucket, bool erase);

/* The next step for an exchange, and its time by the wall clock: nothing, prepare the first bucket
 * of `unready`, publish the first message of `due`. */
enum delay_step { DELAY_NONE, DELAY_PREPARE, DELAY_FIRE };
enum delay_step delay_next_step(const struct delay *delay, uint64_t *at_ms);
/* Frees the spent buckets whose span is over. */
void delays_free_spent(struct delays *delays, uint64_t now_ms);

/* Sets the time of the next step; to be called after each change that may move it. */
void delay_update(struct delay *delay);

#endif
