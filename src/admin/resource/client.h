/* A request as a client of a vhost: a link with one channel, over which it declares, publishes,
 * gets. Thread: main. */
#ifndef LEVERET_ADMIN_CLIENT_H
#define LEVERET_ADMIN_CLIENT_H

#include "admin/http/request.h"

#define CLIENT_CHANNEL    1u
#define CLIENT_NAME       "HTTP API" /* the peer's name; listings leave such peers out */
#define CLIENT_TIMEOUT_MS 30000u     /* then 503: the disk is full, or the owner far behind */

/* Opens a link to the vhost as the request's user. Replies, returns and confirms go to event(); the
 * opening of the channel, gates and the end are dealt with here. Closed when the request is
 * answered. False: no such vhost, and answered so. */
bool client_open(struct request *request, struct bytes vhost,
                 void (*event)(struct request *request, const struct event *event));
/* The same, but what to say is the caller's. Errors: NOT_FOUND. */
MUST_USE enum status client_try(struct request *request, struct bytes vhost,
                                void (*event)(struct request *request, const struct event *event));
/* Sends a command on the channel, or on another one that the command names (and that was opened
 * with one). */
void client_send(struct request *request, struct command command);
/* Ends the link; nothing more is called. For request_free. */
void client_close(struct request *request);

/* Opens, sends one command and calls done() with its reply, good or bad. */
void client_command(struct request *request, struct bytes vhost, const struct command *command,
                    void (*done)(struct request *request, const struct event *reply));

#endif
