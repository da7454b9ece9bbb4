/* Part of vhost (leveret/broker/vhost.h): peers are made and end, limits change. Thread: the
 * vhost's owner. */
#ifndef BROKER_ATTACH_H
#define BROKER_ATTACH_H

struct peer;
struct vhost;
struct vhost_limits;

/* Frees a peer without sending any event; for vhost_free and the end of vhost_detach. */
void vhost_destroy_peer(struct peer *peer);
/* Takes the limits over, also in struct published, where each message is compared with them. */
void vhost_take_limits(struct vhost *vhost, const struct vhost_limits *limits);

#endif
