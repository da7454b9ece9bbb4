/* Answers that are streams of server-sent events (text/event-stream), for what goes on without an
 * end. Thread: the main thread.
 *
 * A stream asks its source every EVENTS_POLL_MS for what is new, and not at all while the client is
 * behind: then the source loses what it cannot keep, and says how much. It ends when the client
 * leaves, which is looked for every second. */
#ifndef LEVERET_ADMIN_EVENTS_H
#define LEVERET_ADMIN_EVENTS_H

#include "leveret/base/bytes.h"

struct request;

#define EVENTS_POLL_MS 100u
/* When nothing was sent for so long, a comment is: proxies and clients then see that the stream
 * lives. */
#define EVENTS_QUIET_MS 15000u
/* Streams that one user may have at once, and all users together; one more is answered 429 or 503.
 */
#define EVENTS_USER_MAX 16u
#define EVENTS_ALL_MAX  256u
/* Bytes that one poll should not write much more than. */
#define EVENTS_POLL_BYTES 65536u

/* Begins the answer. poll(request) is called from time to time, on the loop, sends what is new, and
 * returns false to end the stream. Returns false when the user has too many streams, or the request
 * is a HEAD; it has been answered then. */
bool events_begin(struct request *request, bool (*poll)(struct request *request));
/* Returns true when this poll has sent enough. */
bool events_enough(const struct request *request);
/* Sends an event; name NULL: a message. data must have no line end. */
void events_send(struct request *request, const char *name, struct bytes data);
/* Sends {"count": …}, the number of lines or messages that were lost, as the event "lost". */
void events_send_lost(struct request *request, uint64_t count);
/* Ends the stream and frees the request, now or when an owner that is being asked has answered;
 * poll is not called any more. */
void events_end(struct request *request);

/* Part of request_free. */
struct events;
void events_free(struct events **events);

#endif
