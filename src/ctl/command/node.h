/* Requests to the node, for the commands that are about it. */
#ifndef LEVERETCTL_NODE_H
#define LEVERETCTL_NODE_H

#include "ctl/api/session.h"

/* Sends a request without an answer to a path below /api, in which ":n" stands for the node's name;
 * body is taken. */
enum outcome node_send(struct session *session, const char *method, const char *path,
                       struct value *body);
/* The same with an empty body, or none for DELETE. */
enum outcome node_do(struct session *session, const char *method, const char *path);

#endif
