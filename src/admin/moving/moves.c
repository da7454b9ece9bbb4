/* Moving messages over HTTP: see moves.h.
 *
 *   POST /api/queues/:v/:q/move {"to": …}                the whole queue: 202 and the task
 *   POST /api/queues/:v/:q/messages/:id/move {"to": …}   one message
 *   GET /api/tasks, GET and DELETE /api/tasks/:id        the same at /api/moves
 *
 * Normal course: the vhost is asked whether the queue, and the queue or exchange that is named, are
 * there; then the task begins (move_task.h). What can go wrong: one of them is not there (404,
 * 400); the user may not read the queue (401); the queue has a task already (409). Whether the user
 * may publish where a message goes is asked for each message, which stays when it is not allowed.
 */
#include "admin/moving/moves.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/json/answer.h"
#include "admin/moving/move_task.h"
#include "admin/resource/details.h"
#include "admin/resource/peek.h"
#include "leveret/base/number.h"
#include "leveret/broker/vhost.h"

struct starting {
    struct move_order order;
    bool queue_there, target_there;
};

/* ---- A task as JSON. */

static const char *const states[] = {
    [MOVE_RUNS] = "running", [MOVE_WAITS] = "waiting",   [MOVE_STOPS] = "stopping",
    [MOVE_ENDED] = "done",   [MOVE_STOPPED] = "stopped", [MOVE_FAILED] = "failed",
};

static const char *const skips[] = {
    [MOVE_NO_DEAD_LETTER] = "not_a_dead_letter",
    [MOVE_NO_QUEUE] = "queue_gone",
    [MOVE_NO_EXCHANGE] = "exchange_gone",
    [MOVE_NO_ROUTE] = "no_route",
    [MOVE_SAME_QUEUE] = "same_queue",
    [MOVE_NOT_ALLOWED] = "not_allowed",
};

static void write_target(struct answer *a, const struct move_order *order)
{
    if (order->target == MOVE_TO_SOURCE || order->target == MOVE_TO_ORIGIN) {
        answer_text(a, "to", order->target == MOVE_TO_SOURCE ? "source" : "exchange");
        return;
    }
    if (!answer_object(a, "to"))
        return;
    if (order->target == MOVE_TO_QUEUE) {
        answer_bytes(a, "queue", order->to_queue);
    } else {
        answer_bytes(a, "exchange", order->exchange);
        if (!order->own_key)
            answer_bytes(a, "routing_key", order->routing_key);
    }
    answer_end(a);
}

static void write_limits(struct answer *a, const struct move_order *order)
{
    if (order->count_max != UINT64_MAX)
        answer_uint(a, "count", order->count_max);
    if (order->rate)
        answer_uint(a, "rate_limit", order->rate);
    answer_bool(a, "restore_expiration", order->restore_expiration);
    answer_bool(a, "dry_run", order->dry);
}

static void write_progress(struct answer *a, const struct move_task *task)
{
    uint64_t skipped = 0;
    answer_uint(a, "moved", task->moved);
    answer_uint(a, "bytes", task->bytes);
    for (unsigned i = 0; i < MOVE_SKIPS; i++)
        skipped += task->skipped[i];
    answer_uint(a, "skipped", skipped);
    if (answer_object(a, "skipped_because")) {
        for (unsigned i = 0; i < MOVE_SKIPS; i++)
            if (task->skipped[i])
                answer_uint(a, skips[i], task->skipped[i]);
        answer_end(a);
    }
    if (task->left == MOVE_LEFT_UNKNOWN)
        answer_null(a, "left");
    else
        answer_uint(a, "left", task->left);
    answer_real(a, "rate", task_rate(task));
}

static void write_task(struct answer *a, const char *key, const struct move_task *task)
{
    if (!answer_object(a, key))
        return;
    answer_uint(a, "id", task->id);
    answer_text(a, "kind", "move");
    answer_bytes(a, "vhost", task->order.vhost);
    answer_bytes(a, "queue", task->order.queue);
    write_target(a, &task->order);
    answer_bytes(a, "user", task->order.user);
    answer_text(a, "state", states[task->state]);
    if (task->waits_for)
        answer_text(a, "waits_for", task->waits_for);
    if (task->why)
        answer_text(a, "reason", task->why);
    write_progress(a, task);
    write_limits(a, &task->order);
    api_time_write(a, "started_at", task->started_ms);
    if (task->ended_ms)
        api_time_write(a, "ended_at", task->ended_ms);
    answer_end(a);
}

static void respond_task(struct request *r, int code, const struct move_task *task)
{
    struct answer a = {0};
    write_task(&a, NULL, task);
    respond_json(r, code, &a);
}

/* ---- Starting. */

static void read_object(struct form *to, struct move_order *order)
{
    bool queue = form_has(to, "queue"), exchange = form_has(to, "exchange");
    order->target = queue ? MOVE_TO_QUEUE : MOVE_TO_EXCHANGE;
    order->to_queue = form_name(to, "queue", bytes_of("", 0));
    order->exchange = form_name(to, "exchange", bytes_of("", 0));
    order->routing_key = form_name(to, "routing_key", bytes_of("", 0));
    order->own_key = !form_has(to, "routing_key");
    if (queue == exchange)
        form_refuse(to, "to", "must have either a queue or an exchange");
    else if (queue && !order->own_key)
        form_refuse(to, "to", "a routing_key needs an exchange");
}

/* "to": "source", "exchange", {"queue": q} or {"exchange": x, "routing_key": k}. */
static void read_target(struct form *form, struct move_order *order)
{
    const struct value *to = value_get(form->object, "to");
    const char *word = value_text(to);
    if (value_kind_of(to) == VALUE_MAP) {
        struct form inner = form_of(to);
        read_object(&inner, order);
        if (!form_ok(&inner))
            form_refuse(form, "to", "%s", inner.wrong);
    } else if (word && strcmp(word, "source") == 0) {
        order->target = MOVE_TO_SOURCE;
    } else if (word && strcmp(word, "exchange") == 0) {
        order->target = MOVE_TO_ORIGIN;
    } else {
        form_refuse(form, "to",
                    "must be \"source\", \"exchange\", {\"queue\": …} or "
                    "{\"exchange\": …, \"routing_key\": …}");
    }
}

/* "count": a number, or "all". */
static uint64_t read_count(struct form *form)
{
    const char *word = value_text(value_get(form->object, "count"));
    if (word && strcmp(word, "all") == 0)
        return UINT64_MAX;
    int64_t count = form_int_or_text(form, "count", -1, 1, INT64_MAX);
    return count < 0 ? UINT64_MAX : (uint64_t)count;
}

static void read_order(struct form *form, struct move_order *order)
{
    static const char *const needed[] = {"to", NULL};
    form_need(form, needed);
    if (form_has(form, "to"))
        read_target(form, order);
    order->count_max = read_count(form);
    order->rate = (uint64_t)form_int_or_text(form, "rate", 0, 0, 100000000);
    order->restore_expiration = form_bool(form, "restore_expiration", false);
    order->dry = form_bool(form, "dry_run", false);
    if (form_has(form, "filter"))
        form_refuse(form, "filter", "filters are not supported");
}

/* On the owner. */
static void look(struct vhost *vhost, void *argument)
{
    struct starting *s = argument;
    struct queue_info queue;
    struct exchange_info exchange;
    s->queue_there = vhost_find_queue(vhost, s->order.queue, &queue);
    s->target_there = true;
    if (s->order.target == MOVE_TO_QUEUE)
        s->target_there = vhost_find_queue(vhost, s->order.to_queue, &queue);
    else if (s->order.target == MOVE_TO_EXCHANGE)
        s->target_there = vhost_find_exchange(vhost, s->order.exchange, &exchange);
}

static void start(struct request *r)
{
    struct starting *s = r->work;
    uint64_t id;
    if (!s->queue_there) {
        respond_not_found(r);
        return;
    }
    if (!s->target_there) {
        struct bytes name =
            s->order.target == MOVE_TO_QUEUE ? s->order.to_queue : s->order.exchange;
        respond_bad_request(r, "to: there is no %s '%.*s' in vhost '%.*s'",
                            s->order.target == MOVE_TO_QUEUE ? "queue" : "exchange",
                            BYTES_PRINT(name), BYTES_PRINT(s->order.vhost));
        return;
    }
    enum status status = tasks_start(r->admin->moves, &s->order, &id);
    if (status == STATUS_LOCKED)
        respond_error(r, 409, "conflict", "a task moves messages of this queue already");
    else if (status == STATUS_LIMIT)
        respond_error(r, 503, "service_unavailable", "too many tasks are running");
    else if (status != STATUS_OK)
        respond_vhost_missing(r, s->order.vhost);
    else
        respond_task(r, 202, tasks_find(r->admin->moves, id));
}

static void begin(struct request *r, const char *id)
{
    struct form form = body_form(r);
    struct starting *s = request_work(r, sizeof *s, free);
    s->order = (struct move_order){.vhost = request_vhost(r),
                                   .queue = r->args[1],
                                   .user = bytes_of_text(r->user),
                                   .unchecked = r->by_control};
    if (id && !api_message_place(id, &s->order.only)) {
        respond_not_found(r);
        return;
    }
    read_order(&form, &s->order);
    if (s->order.target == MOVE_TO_QUEUE && bytes_equal(s->order.to_queue, s->order.queue))
        form_refuse(&form, "to", "is the queue that the messages are in");
    if (!body_ok(r, &form) || !access_allowed(r, PERMISSION_READ, s->order.vhost, s->order.queue))
        return;
    request_ask(r, s->order.vhost, look, s, start);
}

static void move_queue(struct request *r)
{
    begin(r, NULL);
}

static void move_message(struct request *r)
{
    begin(r, (const char *)r->args[2].at);
}

/* ---- Tasks. */

static bool sees(const struct request *r, const struct move_task *task)
{
    return access_knows_vhost(r, task->order.vhost);
}

static void list_tasks(struct request *r)
{
    struct answer a = {0};
    const struct move_task *task;
    uint64_t after = 0;
    answer_array(&a, NULL);
    while ((task = tasks_next(r->admin->moves, &after)))
        if (sees(r, task))
            write_task(&a, NULL, task);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* The task that the path names, when the user may see it. */
static const struct move_task *named(struct request *r)
{
    uint64_t id;
    const struct move_task *task = NULL;
    if (number_read((const char *)r->args[0].at, UINT64_MAX, &id))
        task = tasks_find(r->admin->moves, id);
    return task && sees(r, task) ? task : NULL;
}

static void get_task(struct request *r)
{
    const struct move_task *task = named(r);
    if (task)
        respond_task(r, 200, task);
    else
        respond_not_found(r);
}

static void stop_task(struct request *r)
{
    const struct move_task *task = named(r);
    if (!task) {
        respond_not_found(r);
        return;
    }
    if (!access_allowed(r, PERMISSION_READ, task->order.vhost, task->order.queue))
        return;
    tasks_stop(r->admin->moves, task->id);
    respond_empty(r, 204);
}

/* ---- Routes. */

const struct route api_moves[] = {
    {METHOD_POST, "/api/queues/:v/:q/move", move_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_POST, "/api/queues/:v/:q/messages/:id/move", move_message, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/tasks", list_tasks, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/tasks/:id", get_task, ACCESS_USER, BODY_SMALL},
    {METHOD_DELETE, "/api/tasks/:id", stop_task, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/moves", list_tasks, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/moves/:id", get_task, ACCESS_USER, BODY_SMALL},
    {METHOD_DELETE, "/api/moves/:id", stop_task, ACCESS_USER, BODY_SMALL},
    ROUTES_END,
};
