/* The reopener: it tries again to open vhosts that are down because of something that may end by
 * itself (a full disk, an I/O error, too little memory).
 *
 * Thread: the main thread. */
#ifndef LEVERET_HOST_REOPENER_H
#define LEVERET_HOST_REOPENER_H

#include "leveret/auth/auth.h"
#include "leveret/host/node.h"
#include "leveret/runtime/loop.h"

struct reopener;

/* Begins at once: the first attempt comes after a few seconds. */
struct reopener *reopener_new(struct node *node, struct auth *auth, struct loop *main_loop);
void reopener_free(struct reopener **reopener);

#endif
