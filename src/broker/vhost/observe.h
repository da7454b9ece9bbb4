/* What a vhost does when its topology changes: exchanges and bindings are counted, journalled and
 * told. Thread: the vhost's owner. */
#ifndef BROKER_OBSERVE_H
#define BROKER_OBSERVE_H

#include "broker/vhost_state.h"

struct topology_observer vhost_observer(struct vhost *vhost);

#endif
