/* The archive: the samples of all objects of the node, for rates and history. Thread: the main
 * thread.
 *
 * Normal course: the sampler (admin/sampling) opens a round for a place every interval, brings a
 * sample of each of its objects whose numbers have changed, and closes the round. A listing asks
 * with archive_tell what is to be told of an object beside its numbers. Once a minute a round
 * brings all objects that have a series; those that it did not bring are gone, and so are their
 * series.
 *
 * What can go wrong: the series take more than options.bytes_max: those of objects that changed
 * longest ago are forgotten. The wall clock is set back: all series are forgotten. */
#ifndef LEVERET_ADMIN_ARCHIVE_H
#define LEVERET_ADMIN_ARCHIVE_H

#include "admin/history/ranges.h"
#include "admin/history/series.h"
#include "admin/history/told.h"
#include "leveret/base/bytes.h"

struct account;

/* What has samples. */
enum archive_kind {
    ARCHIVE_QUEUE,
    ARCHIVE_EXCHANGE,
    ARCHIVE_CHANNEL,
    ARCHIVE_CONNECTION,
    ARCHIVE_VHOST,
    ARCHIVE_OVERVIEW,
    ARCHIVE_NODE,
    ARCHIVE_KINDS
};

/* RabbitMQ's three policies of how long samples are kept. */
enum archive_policy { RETENTION_GLOBAL, RETENTION_BASIC, RETENTION_DETAILED, ARCHIVE_POLICIES };

struct archive_options {
    struct retention retention[ARCHIVE_POLICIES];
    struct {
        enum archive_policy policy;
        unsigned columns; /* numbers of a sample */
        uint32_t gauges;  /* bit i: number i may fall; a fall of another one is told as no growth */
    } kinds[ARCHIVE_KINDS];
    uint64_t bytes_max; /* of the series of queues, exchanges, channels and connections */
    struct account *account;
};

struct archive;
/* Copies options. Never NULL. */
struct archive *archive_new(const struct archive_options *options);
void archive_free(struct archive **archive);
/* Forgets all samples: history begins anew at now_ms (wall clock). */
void archive_reset(struct archive *archive, uint64_t now_ms);
/* Bytes that the series take, and how many series there are. */
uint64_t archive_bytes(const struct archive *archive);
size_t archive_series(const struct archive *archive);

/* ---- Places: a vhost, all connections, the node. Objects are known by their place, kind and
 * number, and each place has its rounds. */

struct archive_place;
/* The place of this kind of place ('v', 'c', 'n') and name; made when there is none. Valid until
 * archive_end_places. */
struct archive_place *archive_place(struct archive *archive, char kind, struct bytes name);

/* The same, or NULL when there is none. */
const struct archive_place *archive_find_place(const struct archive *archive, char kind,
                                               struct bytes name);

/* Opens a round: the samples that follow are those of this tick. all: the round brings every object
 * that has been sampled before, changed or not. Returns false when the tick is not above that of
 * the last round: then the place has no round. */
bool archive_begin_round(struct archive *archive, struct archive_place *place, uint64_t tick,
                         bool all);
/* The round is complete. at_ms: the wall clock when its objects were looked at. Frees some of the
 * series of objects that are gone, at most a bounded number. */
void archive_end_round(struct archive *archive, struct archive_place *place, uint64_t at_ms);
/* Forgets the places for which no round was opened since this tick. */
void archive_end_places(struct archive *archive, uint64_t tick);

/* An object as it is now. */
struct archive_object {
    enum archive_kind kind;
    uint64_t number;        /* among the objects of this kind in its place */
    uint64_t born_ms;       /* wall clock: when it was made */
    bool changed;           /* false: it has not changed since the round before; for archive_add */
    bool sampled_before;    /* false: its numbers were never in a sample yet, since they have not
                               changed between its birth and the last round */
    const uint64_t *values; /* the kind's columns of them */
    const uint64_t *born;   /* what they were when it was made; NULL: 0 */
};
/* Adds a sample, taken at at_ms (wall clock), to the round that is open. */
void archive_add(struct archive *archive, struct archive_place *place,
                 const struct archive_object *object, uint64_t at_ms);

/* ---- Telling. */

/* The end of the last interval that has been sampled in this place (NULL: nowhere yet), wall clock.
 */
uint64_t archive_end_ms(const struct archive_place *place, uint64_t now_ms);
/* What is asked of an object. */
struct archive_question {
    const struct sample_ranges *ranges;
    /* Bit 1 << kind is set for each kind of range (enum range_kind) whose samples are told. */
    unsigned wanted;
    uint64_t now_ms, end_ms; /* wall clock; end_ms: archive_end_ms, or earlier */
};
/* Fills in the rates and the samples that are asked for. place NULL: nothing has been sampled
 * there. Free with told_free. */
void archive_tell(const struct archive *archive, const struct archive_place *place,
                  const struct archive_object *object, const struct archive_question *question,
                  struct told *out);

#endif
