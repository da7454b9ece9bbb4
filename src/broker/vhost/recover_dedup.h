/* Recovery of what exchanges and queues know already: owners get their identifiers back. Thread:
 * the vhost's owner. */
#ifndef BROKER_RECOVER_DEDUP_H
#define BROKER_RECOVER_DEDUP_H

#include "broker/vhost_state.h"

/* After all exchanges, queues and lanes have been recovered. sound: true when recovery has not
 * failed, so that identifiers without an owner are erased. */
void recover_dedups(struct vhost *vhost, bool sound);

#endif
