/* Part of vhost (leveret/broker/sample.h): what recovery has to do for samples. Thread: the vhost's
 * owner. */
#ifndef BROKER_SAMPLE_BEGIN_H
#define BROKER_SAMPLE_BEGIN_H

#include <stdint.h>

struct queue;
struct queue_numbers;
struct vhost;

/* To be called at the end of recovery, with the call's time set: what has been recovered is not a
 * change, and comes into no sample before it changes. */
void sample_begin(struct vhost *vhost);
/* The numbers of a queue as a sample has them. */
void sample_queue_numbers(const struct queue *queue, uint64_t wall_ms, struct queue_numbers *out);

#endif
