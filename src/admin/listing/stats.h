/* The numbers of objects that are sampled, and how they are told: RabbitMQ's "message_stats",
 * "messages_ready_details" and so on. Thread: the main thread.
 *
 * Each kind of object has its numbers in a fixed order, in which the sampler brings them, the
 * archive keeps them and listings tell them. */
#ifndef LEVERET_ADMIN_STATS_H
#define LEVERET_ADMIN_STATS_H

#include "admin/history/archive.h"
#include "admin/http/request.h"
#include "admin/json/answer.h"
#include "leveret/broker/sample.h"

/* The counters of message_stats: those of struct rates, their sum "deliver_get", and two of the
 * disk. */
#define STATS_COUNT 15u
/* A mask for stats_write: all of them; all but those of the disk. */
#define STATS_ALL      ((1u << STATS_COUNT) - 1)
#define STATS_MESSAGES ((1u << (STATS_COUNT - 2)) - 1)

/* Behind them in the numbers of a queue or vhost. */
enum {
    NUMBER_READY = STATS_COUNT,
    NUMBER_UNACKNOWLEDGED,
    NUMBER_MESSAGES,
    NUMBER_ABLE_MS, /* of a queue: struct queue_numbers.able_ms */
    QUEUE_NUMBERS,
    NUMBER_RECEIVED = NUMBER_ABLE_MS, /* of a vhost: bytes */
    NUMBER_SENT,
    VHOST_NUMBERS,
};
/* The numbers of an exchange, and of a connection. */
enum {
    NUMBER_PUBLISH_IN,
    NUMBER_PUBLISH_OUT,
    NUMBER_RETURNED,
    NUMBER_DROPPED,
    EXCHANGE_NUMBERS,
    CONNECTION_NUMBERS = 2, /* bytes received and sent */
};
/* The numbers of the node. */
enum {
    NODE_MEM_USED,
    NODE_FD_USED,
    NODE_SOCKETS_USED,
    NODE_PROC_USED,
    NODE_DISK_FREE,
    NODE_GAUGES, /* those above may fall */
    NODE_CONNECTION_CREATED = NODE_GAUGES,
    NODE_CONNECTION_CLOSED,
    NODE_CHANNEL_CREATED,
    NODE_CHANNEL_CLOSED,
    NODE_QUEUE_DECLARED,
    NODE_QUEUE_CREATED,
    NODE_QUEUE_DELETED,
    NODE_IO_READ_COUNT,
    NODE_IO_READ_BYTES,
    NODE_IO_READ_US,
    NODE_IO_WRITE_COUNT,
    NODE_IO_WRITE_BYTES,
    NODE_IO_WRITE_US,
    NODE_IO_SYNC_COUNT,
    NODE_IO_SYNC_US,
    NODE_NUMBERS,
};

/* The names of the counters of message_stats, in their order. */
extern const char *const stats_names[STATS_COUNT];

/* Fills in how many numbers each kind has, and which of them may fall. */
void stats_describe(struct archive_options *options);

/* The numbers of message_stats, and of a queue. */
void stats_values(const struct rates *rates, uint64_t disk_reads, uint64_t disk_writes,
                  uint64_t values[STATS_COUNT]);
void stats_of_queue(const struct queue_numbers *numbers, uint64_t values[QUEUE_NUMBERS]);
/* The numbers that a queue or vhost had when it was recovered with so many ready messages. */
void stats_born(uint64_t ready, uint64_t values[VHOST_NUMBERS]);

/* What is told of an object of this place (archive_place) now. Free with told_free. wanted: bits
 * 1 << enum range_kind. */
void stats_tell(const struct request *request, char place, struct bytes name,
                const struct archive_object *object, unsigned wanted, struct told *out);

/* The same with samples that end at end_ms, which is not after stats_end_ms; 0: with the last round
 * of the place. */
void stats_tell_until(const struct request *request, char place, struct bytes name,
                      const struct archive_object *object, unsigned wanted, uint64_t end_ms,
                      struct told *out);
/* The end of the last interval that has been sampled in this place (archive_end_ms). */
uint64_t stats_end_ms(const struct request *request, char place, struct bytes name);

/* Writes {"publish": n, "publish_details": {"rate": r}, …} under "message_stats". Bit i of mask
 * says whether the i-th counter is written. */
void stats_write(struct answer *answer, const uint64_t *values, const struct told *told,
                 unsigned mask);
/* Writes one number, under key and key_details. column: which of the told numbers it is; range: the
 * one whose samples belong to it. */
void stats_write_detail(struct answer *answer, const char *key, uint64_t value,
                        const struct told *told, unsigned column, enum range_kind range);
/* Writes "messages", "messages_ready" and "messages_unacknowledged" so. */
void stats_write_lengths(struct answer *answer, const uint64_t *values, const struct told *told);
/* Writes the mean milliseconds of operations, under key and key_details: us by count, both columns
 * of told. As in RabbitMQ, the rate of a mean is the mean. */
void stats_write_mean(struct answer *answer, const char *key, const uint64_t *values,
                      const struct told *told, unsigned us, unsigned count);

#endif
