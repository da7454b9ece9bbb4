/* Buckets of delayed messages: see delay.h, whose inside this is. Thread: the vhost's owner. */
#ifndef BROKER_BUCKET_H
#define BROKER_BUCKET_H

#include "broker/delay/delay.h"
#include "broker/delay/due.h"
#include "broker/store/store.h"
#include "leveret/base/heap.h"

enum bucket_state {
    BUCKET_RESTS,
    BUCKET_LOADING,   /* its chunks are being read */
    BUCKET_LOADED,    /* all of it is in memory and in delay->due */
    BUCKET_SPLITTING, /* its messages move to finer buckets */
    BUCKET_STREAM,    /* one entry in delay->due stands for all of it */
    BUCKET_FAILED,    /* it cannot be read */
};

/* Which of struct delays' lists a bucket is in. */
enum bucket_list { BUCKET_UNLISTED, BUCKET_OPEN, BUCKET_SPLIT, BUCKET_SPENT };

struct bucket {
    struct lane lane; /* first */
    struct delay *delay;
    uint8_t level; /* index of its span */
    uint8_t state, list;
    bool recorded; /* its definition is in the journal */
    bool waiting;  /* splitting: for a page */
    uint8_t key[9];
    uint32_t pages; /* loading: chunks that have not come yet */
    uint64_t start_ms;
    uint64_t bytes;           /* memory that its messages take, or will, about */
    uint64_t charged_bytes;   /* its part of delays->loaded_bytes */
    uint64_t open_bytes;      /* rests: in the open chunk, its part of delays->open_bytes */
    uint64_t open_chunk;      /* that chunk's number */
    struct heap_node prepare; /* in delays->prepare while it rests, by when to load or split it */
    struct heap_node unready; /* in delay->unready, by start_ms: rests, loading or splitting */
    TAILQ_ENTRY(bucket) link; /* by list */
};

/* What waits in one exchange. */
struct delay {
    struct delays *delays;
    struct exchange *exchange;
    struct stock stock;
    struct map buckets;    /* by key */
    struct heap unready;   /* nothing at or after the first one's start leaves */
    struct due_heap due;   /* what is loaded */
    struct heap_node wake; /* in delays->wake: when something is to be done */
    bool blocked;          /* the stream at the head of due waits for a page */
    TAILQ_ENTRY(delay) link;
};

/* What loaded buckets of a vhost may hold before more are loaded ahead of time, and open chunks of
 * resting ones before they are closed. One exchange's next bucket is loaded in any case. */
#define LOADED_BYTES_MAX (32u << 20)
#define OPEN_BYTES_MAX   (16u << 20)

/* The level for a new message. */
unsigned bucket_level(uint64_t delay_ms);
/* The level with this span. Returns false if there is none. */
bool bucket_level_of_span(uint32_t span_ms, unsigned *level);
uint64_t bucket_end_ms(const struct bucket *bucket);

/* The bucket for a message due then, of this level or a finer one; made if need be. */
struct bucket *bucket_for(struct delay *delay, unsigned level, uint64_t due_ms);
/* The same level exactly, with this lane; for recovery. */
struct bucket *bucket_restore(struct delay *delay, unsigned level, uint64_t start_ms,
                              uint64_t lane_id);
/* After its lane has been filled by recovery: rests, or is spent when there is nothing in it. */
void bucket_restored(struct bucket *bucket);
/* Puts a message in; takes a reference. *needed: the batch that holds it, if it is journalled. */
void bucket_add(struct bucket *bucket, struct message *message, uint64_t due_ms, uint64_t *needed);
/* Takes a message out, which is in memory; the caller gets the reference. */
struct message *bucket_take(struct bucket *bucket, struct place place);
/* A bucket that rests is loaded, split, or becomes a stream. */
void bucket_prepare(struct bucket *bucket);
/* Moves up to max messages of a bucket that is splitting; returns how many. The bucket is freed
 * after the last one. */
unsigned bucket_split(struct bucket *bucket, unsigned max);
/* A loaded bucket or stream is empty: freed, or kept until its time is over. */
void bucket_emptied(struct bucket *bucket);
/* Takes it out of everything, and what is in it. */
void bucket_free(struct bucket *bucket);
/* The same here only, leaving delay->buckets as it is. erase: in the journal too. */
void bucket_destroy(struct bucket *bucket, bool erase);

/* What is next to do for an exchange, and when: wall clock. */
enum delay_step { DELAY_NONE, DELAY_PREPARE, DELAY_FIRE };
enum delay_step delay_next_step(const struct delay *delay, uint64_t *at_ms);
/* Frees the buckets whose time is over. */
void delays_free_spent(struct delays *delays, uint64_t now_ms);

/* Sets when the delay is to be looked at next; after anything that may change it (delay.c). */
void delay_update(struct delay *delay);

#endif
