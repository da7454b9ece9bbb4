/* Sums over all vhosts and workers, for the overview, vhosts, metrics and rates. Thread: the main
 * thread; the counting runs on the owners, one after the other. */
#ifndef LEVERET_ADMIN_TOTALS_H
#define LEVERET_ADMIN_TOTALS_H

#include "admin/http/request.h"
#include "admin/listing/stats.h"

/* The sums of one vhost. */
struct vhost_sum {
    char *name;
    struct vhost_totals totals;
    bool answered;   /* false: the vhost is down, or was deleted meanwhile; its sums are 0 */
    bool journalled; /* false: the vhost keeps nothing on disk, and journal is 0 */
    struct journal_figures journal;
};

struct totals {
    struct vhost_sum *vhosts;
    size_t vhost_count;
    struct vhost_totals all; /* over all vhosts, as journal is */
    uint64_t messages;       /* in queues, ready or not: of all */
    struct journal_figures journal;
    struct sessions_totals sessions; /* over all workers */
    size_t *mailbox_depths;          /* of each worker: the letters in its mailbox */
    unsigned workers;
};

/* Adds sums to sums. */
void totals_add(struct vhost_totals *sum, const struct vhost_totals *more);
void totals_add_journal(struct journal_figures *sum, const struct journal_figures *more);
void totals_add_sessions(struct sessions_totals *sum, const struct sessions_totals *more);
/* The numbers of a vhost, or of several, as they are sampled. */
void totals_values(const struct vhost_totals *totals, uint64_t received_bytes, uint64_t sent_bytes,
                   uint64_t values[VHOST_NUMBERS]);

/* What is told of a vhost now (stats_tell). end_ms: where its samples end; 0: with its last round.
 */
void totals_tell(const struct request *request, struct bytes vhost,
                 const struct vhost_totals *totals, const uint64_t values[VHOST_NUMBERS],
                 unsigned wanted, uint64_t end_ms, struct told *out);

/* Counts, then calls done(context, totals). The totals last for that call; they are NULL when the
 * admin was freed meanwhile. */
void totals_count(struct admin *admin, void (*done)(void *context, const struct totals *totals),
                  void *context);

/* The same for a request, which is freed, without a call, when the admin is freed meanwhile. */
void totals_for(struct request *request,
                void (*done)(struct request *request, const struct totals *totals));

#endif
