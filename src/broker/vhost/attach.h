/* Peers come and go. Thread: the vhost's owner. */
#ifndef BROKER_ATTACH_H
#define BROKER_ATTACH_H

struct peer;
struct vhost;
struct vhost_limits;

/* Frees without a word; for vhost_free. */
void peer_destroy(struct peer *peer);
/* Takes the limits over, those that are checked with each message as well. */
void vhost_take_limits(struct vhost *vhost, const struct vhost_limits *limits);

#endif
