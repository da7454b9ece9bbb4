/* Recovery of deduplication: exchanges and queues get back the identifiers of messages that they
 * have seen (dedup/dedup.h). Thread: the vhost's owner. */
#ifndef BROKER_RECOVER_DEDUP_H
#define BROKER_RECOVER_DEDUP_H

#include "broker/vhost_state.h"

/* To be called when all exchanges, queues and lanes have been recovered. sound: true when recovery
 * has not failed; identifiers whose exchange or queue is gone are erased then, and else left alone.
 */
void recover_dedups(struct vhost *vhost, bool sound);

#endif
