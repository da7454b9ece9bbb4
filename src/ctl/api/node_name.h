/* The name of the node that answers. */
#ifndef LEVERETCTL_NODE_NAME_H
#define LEVERETCTL_NODE_NAME_H

#include "ctl/api/session.h"

/* Asks for the name the first time, and keeps it in the session. Returns NULL after printing an
 * error; session->failed then says which. */
const char *node_name(struct session *session);

#endif
