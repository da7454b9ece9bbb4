/* The announcer: it knows whether anybody listens to the node's events and log lines, and sends
 * them to the vhost that has the exchanges for them (node_announce). A node has one.
 *
 * Thread: it is made and freed on the main thread; log lines reach it on any thread. */
#ifndef LEVERET_HOST_ANNOUNCER_H
#define LEVERET_HOST_ANNOUNCER_H

#include "leveret/base/log.h"
#include "leveret/host/node.h"

struct announcer;

/* From now on the log's lines go to the announcer too. */
struct announcer *announcer_new(struct node *node, struct log *log);
void announcer_free(struct announcer **announcer);

#endif
