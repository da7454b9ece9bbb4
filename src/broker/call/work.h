/* Work: the cost of commands, so that the commands of one connection do not keep the other
 * connections of its worker waiting. One unit is about a tenth of a microsecond of a processor of
 * 2020. Thread: the vhost's owner.
 *
 * Normal course: code that can cost more than a plain command reports its cost with call_spend
 * (call/call.h), in bulk, after a route or after a loop. The call into the core returns the sum,
 * and its caller (host/share.c) makes a connection that has spent much wait. A loop that may be
 * long asks call_left how far it may go in this call, and calls channel_goes_on when it stops
 * before its end: then the same command is applied again in a later turn, and the channel's struct
 * progress tells how far it came. The cost of a plain message is not counted, since the frames that
 * a connection may send in a turn bound it. */
#ifndef BROKER_WORK_H
#define BROKER_WORK_H

#include <stdbool.h>
#include <stdint.h>

#define WORK_COMMAND  20u /* a command that declares, binds, consumes … */
#define WORK_QUEUE    3u  /* a message given to one more queue */
#define WORK_SETTLE   2u  /* a delivery acked, requeued or rejected */
#define WORK_DISCARD  1u  /* a message purged */
#define WORK_CONSUMER 6u  /* a consumer ended */
#define WORK_BINDING  12u /* a binding removed */
#define WORK_PUBLISH  10u /* a message of a transaction */
#define WORK_EXPIRE   5u  /* a message that expires */
#define WORK_LETTER   30u /* a dead letter sent, and each queue that it goes to */
#define WORK_DELETE   30u /* a queue or channel removed */

/* Checking, sorting and indexing this many bytes of arguments costs one unit. */
#define WORK_ARGUMENT_BYTES 4u

/* How far a command came that stopped before its end. All zeros: the last command is finished. */
struct progress {
    bool under_way;  /* true: the command is to be applied again */
    uint64_t upto;   /* where an ack, recover or purge ends, set by its first call */
    uint64_t count;  /* the number that its answer will name, or how many steps it has done */
    uint64_t needed; /* the latest batch that its answer waits for so far; 0: none */
};

#endif
