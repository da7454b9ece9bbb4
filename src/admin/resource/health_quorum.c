/* Part of the api: the health check for quorum queues without a leader.
 *
 * A queue has its only member on this node, which leads it as long as the queue works; a queue
 * whose stored messages cannot be read has no leader. Normal course: such queues are gathered from
 * the owners of the vhosts, and there are none. What can go wrong: a vhost is down; its queues are
 * then not known, and the check of virtual hosts fails instead of this one. */
#include "admin/resource/health.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/json/answer.h"
#include "admin/listing/gather.h"
#include "admin/listing/listed_queue.h"
#include "leveret/base/pattern.h"

struct quorum_check {
    struct gather gather;    /* first: gathered takes the gather for the whole struct */
    struct pattern *pattern; /* the queues' names must match it; NULL: all queues are looked at */
    unsigned rights;         /* what the user may do; while rows are gathered he may see all */
};

static void quorum_check_free(void *work)
{
    struct quorum_check *check = work;
    gather_free(&check->gather);
    pattern_free(&check->pattern);
    free(check);
}

static bool is_leaderless(const struct gather *gather, const void *info)
{
    const struct queue_info *queue = info;
    (void)gather;
    return queue->failed && bytes_equal_text(listed_queue_type(queue), "quorum");
}

static void write_queue(struct answer *a, const struct row *row)
{
    const struct queue_info *queue = row->info;
    struct text readable = {0};
    text_printf(&readable, "queue '%.*s' in vhost '%.*s'", BYTES_PRINT(queue->name),
                BYTES_PRINT(row->vhost));
    answer_object(a, NULL);
    answer_bytes(a, "readable_name", text_bytes(&readable));
    answer_bytes(a, "name", queue->name);
    answer_bytes(a, "virtual_host", row->vhost);
    answer_text(a, "type", "rabbit_quorum_queue");
    answer_end(a);
    text_free(&readable);
}

/* Queues of all vhosts are looked at; the user is told the names of those in vhosts that he may
 * see. */
static void gathered(struct request *r, struct gather *gather)
{
    struct quorum_check *check = (struct quorum_check *)(void *)gather;
    struct answer a = {0};
    size_t found = 0;
    r->rights = check->rights;
    health_begin_failed(&a, "Detected quorum queues without an elected leader");
    answer_array(&a, "queues");
    for (size_t i = 0; i < gather->row_count; i++) {
        const struct row *row = &gather->rows[i];
        const struct queue_info *queue = row->info;
        if (check->pattern && !pattern_matches(check->pattern, queue->name))
            continue;
        found++;
        if (access_sees_vhost(r, row->vhost))
            write_queue(&a, row);
    }
    answer_end(&a);
    answer_end(&a);
    if (found) {
        respond_json(r, 503, &a);
        return;
    }
    answer_free(&a);
    health_respond_ok(r);
}

/* Checks the queues of a vhost (NULL: of all) whose names match the pattern (at is NULL: all). */
static void check(struct request *r, const struct bytes *vhost, struct bytes pattern)
{
    struct quorum_check *check = request_work(r, sizeof *check, quorum_check_free);
    struct pattern_error wrong;
    if (pattern.at && pattern_new(pattern, NULL, &check->pattern, &wrong) != STATUS_OK) {
        respond_bad_request(r, "not a regular expression: %s at position %zu", wrong.reason,
                            wrong.at);
        return;
    }
    check->rights = r->rights;
    r->rights |= RIGHT_MONITORING | RIGHT_ADMINISTRATOR;
    check->gather.kind = &gather_queues;
    check->gather.pick = is_leaderless;
    gather_run(r, &check->gather, vhost, gathered);
}

static void check_all(struct request *r)
{
    check(r, NULL, bytes_of(NULL, 0));
}

static void check_matching(struct request *r)
{
    check(r, NULL, r->args[0]);
}

static void check_vhost(struct request *r)
{
    check(r, &r->args[0], bytes_of(NULL, 0));
}

static void check_vhost_matching(struct request *r)
{
    check(r, &r->args[0], r->args[1]);
}

/* ---- Routes. */

const struct route api_health_quorum[] = {
    {METHOD_GET, "/api/health/checks/quorum-queues-without-elected-leaders/all-vhosts", check_all,
     ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/:p",
     check_matching, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/quorum-queues-without-elected-leaders/vhost/:v", check_vhost,
     ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/health/checks/quorum-queues-without-elected-leaders/vhost/:v/pattern/:p",
     check_vhost_matching, ACCESS_USER, BODY_SMALL},
    ROUTES_END,
};
