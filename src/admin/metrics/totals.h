/* Sums over all vhosts and workers, for overview, vhosts, metrics and rates. Thread: main; the
 * counting runs on the owners. */
#ifndef LEVERET_ADMIN_TOTALS_H
#define LEVERET_ADMIN_TOTALS_H

#include "admin/http/request.h"

struct vhost_sum {
    char *name;
    struct vhost_totals totals;
    bool answered;   /* its owner did */
    bool journalled; /* journal is filled in */
    struct journal_figures journal;
};

struct totals {
    struct vhost_sum *vhosts;
    size_t vhost_count;
    struct vhost_totals all;
    struct journal_figures journal;
    struct sessions_totals sessions;
    size_t *mailbox_depths; /* one for each worker */
    unsigned workers;
};

/* Counts, then calls done(context, totals): totals last for the call; NULL when the admin was freed
 * meanwhile. */
void totals_count(struct admin *admin, void (*done)(void *context, const struct totals *totals),
                  void *context);

/* The same for a request, which is freed if the admin goes. */
void totals_for(struct request *request,
                void (*done)(struct request *request, const struct totals *totals));

#endif
