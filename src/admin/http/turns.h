/* Turns of listings: how many requests gather rows from the owners at once. Many at once would take
 * the owners' time, and each other's; the rest wait in order. Writing an answer needs no turn: what
 * it holds is counted in the account. Thread: the main thread. */
#ifndef LEVERET_ADMIN_TURNS_H
#define LEVERET_ADMIN_TURNS_H

#include <stdbool.h>

struct loop;
struct request;

/* Requests that gather at once, and how many of them may be of one user from one address; others
 * wait. */
#define TURNS_MAX      8u
#define TURNS_EACH_MAX 3u
/* Requests that wait; one more is answered 503. */
#define TURNS_WAITING_MAX 256u

struct turns;
struct turns *turns_new(struct loop *loop);
void turns_free(struct turns **turns);

/* Calls go(request, argument) when the request's turn comes, which may be now; at once when it has
 * its turn already. The turn lasts until turns_give. Returns false when too many wait: the request
 * has been answered so. */
bool turns_take(struct request *request, void (*go)(struct request *request, void *argument),
                void *argument);
/* Gives the request's turn back, or leaves the line; does nothing for a request that has asked for
 * none. request_free calls it too. */
void turns_give(struct request *request);

#endif
