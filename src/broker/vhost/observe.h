/* Part of vhost (leveret/broker/vhost.h): what a vhost does when its topology changes. It counts
 * exchanges and bindings in its account, puts them into the journal and announces events. Thread:
 * the vhost's owner. */
#ifndef BROKER_OBSERVE_H
#define BROKER_OBSERVE_H

#include "broker/vhost_state.h"

/* The functions that the topology of this vhost calls. */
struct topology_observer vhost_observer(struct vhost *vhost);

#endif
