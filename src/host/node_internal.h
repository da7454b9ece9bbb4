/* What the files of host/ ask of the node.
 *
 * Thread: any, where nothing else is said. */
#ifndef LEVERET_HOST_NODE_INTERNAL_H
#define LEVERET_HOST_NODE_INTERNAL_H

#include "home.h"

struct alarms;
struct announcer;
struct auth;

/* The home of a vhost, or NULL. A home is valid as long as the node. */
struct home *node_find_home(struct node *node, struct bytes name);

/* Calls each() for all homes, deleted ones too, under the node's lock. */
void node_each_home(struct node *node, void (*each)(struct home *home));

/* Whether any vhost is down. */
bool node_any_down(struct node *node);

struct alarms *node_alarms_of(const struct node *node);
/* The directory of users; NULL before node_watch. */
const struct auth *node_auth(const struct node *node);
struct announcer *node_announcer(const struct node *node);
/* The name of the vhost that has the exchanges of events and log lines; NULL: there is none. */
const char *node_announce_vhost(const struct node *node);

/* ---- alarms.c */

/* The text of the node's alarm, for connection.blocked; NULL: no alarm is on. *memory: the alarm
 * "memory" is on. */
const char *node_alarm_text(const struct node *node, bool *memory);
/* One more (1) or one less (-1) of the vhosts whose journals cannot write now. */
void node_count_unwritable(struct node *node, int change);

/* ---- announcer.c */

/* Tells the node what the vhost with the exchanges of events and log lines has bound to them now.
 * events: somebody listens to events; log: somebody listens to log lines. That vhost's owner. */
void node_listened(struct node *node, bool events, bool log);

#endif
