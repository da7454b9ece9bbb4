/* A request as a client of a vhost: it has a link with one channel, over which it declares,
 * publishes and gets as any client does. Thread: the main thread. */
#ifndef LEVERET_ADMIN_CLIENT_H
#define LEVERET_ADMIN_CLIENT_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"
#include "leveret/broker/command.h"

struct request;

#define CLIENT_CHANNEL 1u
/* The link's name; listings leave channels of links with this name out. */
#define CLIENT_NAME "HTTP API"
/* A request whose link is silent for this long (the disk is full, or the owner is far behind) is
 * answered 503. */
#define CLIENT_TIMEOUT_MS 30000u

/* Opens a link to the vhost as the request's user. Replies, returns and confirms go to event; the
 * opening of the channel, gates and the link's end are dealt with here. The link is closed when the
 * request is answered. A request whose answer is a stream of events is ended when the vhost goes.
 * Errors: NOT_FOUND. */
MUST_USE enum status client_try(struct request *request, struct bytes vhost,
                                void (*event)(struct request *request, const struct event *event));
/* The same; when there is no such vhost, answers so and returns false. */
bool client_open(struct request *request, struct bytes vhost,
                 void (*event)(struct request *request, const struct event *event));
/* Sends a command on CLIENT_CHANNEL, or on the channel that the command names, which the caller has
 * opened with a command. */
void client_send(struct request *request, struct command command);
/* Holds the request's user to its topic permissions: when they do not allow one of the message's
 * routing keys, the core refuses the message, which is sent next, if the exchange is a topic
 * exchange. */
void client_check_topics(struct request *request, struct bytes vhost,
                         const struct message *message);
/* The same for a command that binds or unbinds, which is sent next. */
void client_check_binding(struct request *request, struct bytes vhost,
                          const struct command *command);
/* From now on the link may be silent for as long as it likes. */
void client_wait(struct request *request);
/* Closes the link; event is not called any more. A request that is freed does this itself. */
void client_close(struct request *request);

/* Opens a link, sends one command (after client_check_binding, if it binds or unbinds) and calls
 * done with the reply to it, good or bad. The request's work is replaced. */
void client_command(struct request *request, struct bytes vhost, const struct command *command,
                    void (*done)(struct request *request, const struct event *reply));

#endif
