/* Work: what things cost, so that nobody's commands keep the others of a worker waiting. One unit
 * is about a tenth of a microsecond of a processor of 2020. Thread: the vhost's owner.
 *
 * Normal course: what can cost more than a plain command says so with call_spend (call.h), in
 * bulk, where it is done: after a route, after a loop. The call into the core returns the sum, and
 * its caller (host/share.c) makes a connection that has spent much wait. A loop that may be long
 * asks call_left how far it may go in this call, and calls channel_goes_on when it has not come to
 * its end: then the same command is applied again in a later turn, and what it has done so far is
 * in the channel's struct progress. What a plain message costs is not counted: a connection gets so
 * many frames a turn anyway. */
#ifndef BROKER_WORK_H
#define BROKER_WORK_H

#include <stdbool.h>
#include <stdint.h>

#define WORK_COMMAND  20u /* one that declares, binds, consumes … */
#define WORK_QUEUE    3u  /* a message given to one more queue */
#define WORK_SETTLE   2u  /* a delivery acked, requeued or rejected */
#define WORK_DISCARD  1u  /* a message purged */
#define WORK_CONSUMER 6u  /* a consumer ended */
#define WORK_BINDING  12u /* a binding removed */
#define WORK_PUBLISH  10u /* a message of a transaction */
#define WORK_EXPIRE   5u  /* a message that expires */
#define WORK_LETTER   30u /* a dead letter sent, and each queue that it goes to */
#define WORK_DELETE   30u /* a queue or channel removed */

/* Bytes of arguments that cost one unit to check, sort and index. */
#define WORK_ARGUMENT_BYTES 4u

/* Of a command that goes on in the next call. All zeros: there is none. */
struct progress {
    bool under_way;
    uint64_t upto;   /* of an ack, recover or purge: what it is to reach, from its first call on */
    uint64_t count;  /* what it will tell, or where it is */
    uint64_t needed; /* the batch that its answer waits for, so far; 0: none */
};

#endif
