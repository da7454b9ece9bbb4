/* Turns of listings: how many requests gather rows from the owners at once. Many at once would take
 * the owners' time and each other's; the rest wait in order. Writing an answer needs no turn: what
 * it holds is counted in the account. Thread: main. */
#ifndef LEVERET_ADMIN_TURNS_H
#define LEVERET_ADMIN_TURNS_H

#include "admin/http/request.h"

/* Listings under way at once, and of these by one user from one address. */
#define TURNS_MAX      8u
#define TURNS_EACH_MAX 3u
/* Listings that wait; one more is told 503. */
#define TURNS_WAITING_MAX 256u

struct turns;
struct turns *turns_new(struct loop *loop);
void turns_free(struct turns **turns);

/* Calls go(request, argument) now, or when the request's turn comes; at once when it has one. It
 * lasts until turn_give. False: too many wait, and answered so. */
bool turn_take(struct request *request, void (*go)(struct request *request, void *argument),
               void *argument);
/* Nothing happens when it has none. request_free calls it too. */
void turn_give(struct request *request);

#endif
