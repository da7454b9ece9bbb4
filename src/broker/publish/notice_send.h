/* Part of notice (notice/notice.h): publishes the notices that wait. Thread: the vhost's owner. */
#ifndef BROKER_NOTICE_SEND_H
#define BROKER_NOTICE_SEND_H

#include <stdbool.h>

struct vhost;

/* Publishes all notices. Returns true when there were any. */
bool notices_send(struct vhost *vhost);

#endif
