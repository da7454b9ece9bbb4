/* Publishes the notices that wait (notice.h). Thread: the vhost's owner. */
#ifndef BROKER_NOTICE_SEND_H
#define BROKER_NOTICE_SEND_H

#include <stdbool.h>

struct vhost;

/* Returns whether there was any. */
bool notices_send(struct vhost *vhost);

#endif
