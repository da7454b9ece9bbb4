/* Part of the api: queues: listed, shown with their consumers, declared, deleted and purged.
 *
 * The vhost's owner is asked for queues, with gather or request_ask. They are changed with commands
 * over a link, as by any client; the user's permissions are checked here before, as a session does.
 */
#include "admin/resource/queues.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/json/arguments.h"
#include "admin/listing/listed_queue.h"
#include "admin/listing/listing.h"
#include "admin/resource/client.h"
#include "admin/resource/connections.h"
#include "admin/resource/details.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/table.h"

/* The counters that a queue has, as a mask for stats_write: bits 0, 3 to 11, 13 and 14. */
#define QUEUE_RATES 0x6ff9u

/* Returns true when something is wanted that the archive knows. */
static bool wants_told(const struct answer *a)
{
    return answer_wants(a, "message_stats") || answer_wants(a, "messages_details") ||
           answer_wants(a, "messages_ready_details") ||
           answer_wants(a, "messages_unacknowledged_details") ||
           answer_wants(a, "consumer_capacity") || answer_wants(a, "consumer_utilisation");
}

/* The samples that are wanted; none while rows are only looked at for sorting. */
static unsigned wanted_ranges(const struct answer *a)
{
    bool lengths = answer_wants(a, "messages_details") ||
                   answer_wants(a, "messages_ready_details") ||
                   answer_wants(a, "messages_unacknowledged_details");
    return a->capture ? 0
                      : (unsigned)lengths << RANGE_LENGTHS |
                            (unsigned)answer_wants(a, "message_stats") << RANGE_RATES;
}

static bool all_zero(const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i])
            return false;
    return true;
}

static void write_capacity(struct answer *a, const struct queue_info *q, const struct told *told)
{
    double capacity = listed_queue_capacity(q, told);
    answer_real(a, "consumer_capacity", capacity);
    answer_real(a, "consumer_utilisation", capacity);
}

/* Writes counters and rates. A queue that never had a message has no message_stats, as in RabbitMQ.
 */
static void write_rates(struct request *r, struct answer *a, struct bytes vhost,
                        const struct queue_info *q)
{
    uint64_t values[QUEUE_NUMBERS];
    struct told told = {.columns = QUEUE_NUMBERS};
    listed_queue_values(q, values);
    if (wants_told(a))
        listed_queue_tell(r, vhost, q, values, wanted_ranges(a), &told);
    if (!all_zero(values, NUMBER_ABLE_MS))
        stats_write(a, values, &told, QUEUE_RATES);
    stats_write_lengths(a, values, &told);
    write_capacity(a, q, &told);
    told_free(&told);
}

static void write_depths(struct answer *a, const struct queue_info *q)
{
    uint64_t messages = q->messages_ready + q->messages_unacknowledged;
    uint64_t bytes = q->ready_bytes + q->unacknowledged_bytes;
    answer_uint(a, "messages_ram", q->messages_ram);
    answer_uint(a, "messages_ready_ram", q->messages_ready_ram);
    answer_uint(a, "messages_unacknowledged_ram", q->messages_ram - q->messages_ready_ram);
    answer_uint(a, "messages_paged_out", messages - q->messages_ram);
    answer_uint(a, "messages_persistent", q->messages_persistent);
    answer_uint(a, "message_bytes_ram", q->ram_bytes);
    answer_uint(a, "message_bytes_paged_out", bytes - q->ram_bytes);
    answer_uint(a, "message_bytes_persistent", q->persistent_bytes);
    if (q->deduplicated)
        answer_uint(a, "deduplicated", q->deduplicated);
    if (q->messages_dlx || listed_queue_is_quorum(q))
        answer_uint(a, "messages_dlx", q->messages_dlx);
    if (q->dead_letters_dropped)
        answer_uint(a, "dead_letters_dropped", q->dead_letters_dropped);
    answer_uint(a, "message_bytes", bytes);
    answer_uint(a, "message_bytes_ready", q->ready_bytes);
    answer_uint(a, "message_bytes_unacknowledged", q->unacknowledged_bytes);
    answer_uint(a, "memory", q->memory_bytes);
    answer_null(a, "head_message_timestamp");
}

/* Writes the limit as RabbitMQ 4.3 does, which has it for quorum queues only. */
static void write_delivery_limit(struct answer *a, uint64_t limit)
{
    if (limit == QUEUE_DELIVERY_UNLIMITED)
        answer_text(a, "delivery_limit", "unlimited");
    else if (limit != QUEUE_DELIVERY_UNCOUNTED)
        answer_uint(a, "delivery_limit", limit);
}

static void write_members(struct answer *a, const char *key, const char *node)
{
    if (!answer_array(a, key))
        return;
    if (node)
        answer_text(a, NULL, node);
    answer_end(a);
}

/* Writes how many messages of each priority are ready, and how many priorities have some. */
static void write_priorities(struct answer *a, const struct queue_info *q)
{
    uint64_t ready[QUEUE_PRIORITIES] = {0};
    char key[8];
    unsigned active = 0;
    if (q->ready_by_priority.len)
        memcpy(ready, q->ready_by_priority.at, sizeof ready);
    else
        ready[QUEUE_PRIORITY_MIDDLE] = q->messages_ready;
    for (unsigned i = 0; i < QUEUE_PRIORITIES; i++)
        active += ready[i] > 0;
    answer_uint(a, "messages_active_priorities", active);
    if (!answer_object(a, "messages_by_priority"))
        return;
    for (unsigned i = 0; i < QUEUE_PRIORITIES; i++) {
        snprintf(key, sizeof key, "%u", i);
        if (ready[i])
            answer_uint(a, key, ready[i]);
    }
    answer_end(a);
}

static void bytes_or_null(struct answer *a, const char *name, struct bytes value)
{
    if (value.len)
        answer_bytes(a, name, value);
    else
        answer_null(a, name);
}

/* Writes what only quorum queues have. Their only member is on this node, and leads as long as the
 * queue works. RabbitMQ's figures that could only be guessed here are left out. */
static void write_quorum(struct request *r, struct answer *a, const struct queue_info *q)
{
    const char *node = r->admin->options.node_name;
    answer_text(a, "leader", q->failed ? "" : node);
    write_members(a, "members", node);
    write_members(a, "online", q->failed ? NULL : node);
    answer_uint(a, "messages_ready_returned", q->messages_ready_returned);
    write_priorities(a, q);
    answer_uint(a, "messages_delayed", 0);
    answer_text(a, "delayed_retry", "disabled");
    /* How many bytes wait to be dead-lettered is not counted. */
    if (q->messages_dlx == 0)
        answer_uint(a, "message_bytes_dlx", 0);
    bytes_or_null(a, "single_active_consumer_ctag", q->single_active_consumer);
    /* No queue has files of its own. */
    if (answer_object(a, "open_files")) {
        answer_uint(a, node, 0);
        answer_end(a);
    }
}

static void render_queue(struct request *r, struct answer *a, const struct row *row)
{
    const struct queue_info *q = row->info;
    answer_bytes(a, "name", q->name);
    answer_bytes(a, "vhost", row->vhost);
    answer_bool(a, "durable", q->durable);
    answer_bool(a, "auto_delete", q->auto_delete);
    answer_bool(a, "exclusive", q->exclusive);
    arguments_write(a, "arguments", q->arguments);
    answer_bool(a, "internal", false);
    answer_bool(a, "internal_owner", false);
    answer_bytes(a, "type", listed_queue_type(q));
    answer_text(a, "node", r->admin->options.node_name);
    answer_text(a, "state", q->failed ? "crashed" : q->paused ? "paused" : "running");
    if (q->stalled)
        answer_text(a, "state_reason", "waiting for the disk");
    answer_uint(a, "consumers", q->consumers);
    write_rates(r, a, row->vhost, q);
    write_depths(a, q);
    if (q->idle_since_wall_ms)
        api_time_write(a, "idle_since", q->idle_since_wall_ms);
    write_delivery_limit(a, q->delivery_limit);
    if (listed_queue_is_quorum(q))
        write_quorum(r, a, q);
    bytes_or_null(a, "policy", q->policy);
    bytes_or_null(a, "operator_policy", q->operator_policy);
    arguments_write(a, "effective_policy_definition", q->effective_definition);
    bytes_or_null(a, "exclusive_consumer_tag", q->exclusive_consumer);
    bytes_or_null(a, "single_active_consumer_tag", q->single_active_consumer);
    answer_null(a, "recoverable_slaves");
    if (q->owner_name.len)
        api_connection_write(a, "owner_pid_details", q->owner_name);
}

static void order_queue(const struct row *row, struct listing_order *order)
{
    order->keys[0] = row->vhost;
    order->keys[1] = ((const struct queue_info *)row->info)->name;
}

static struct bytes name_queue(const struct row *row)
{
    return ((const struct queue_info *)row->info)->name;
}

#define SMALL                                                                                      \
    "name,vhost,type,node,state,durable,auto_delete,exclusive,arguments,policy,operator_policy,"   \
    "effective_policy_definition,internal,internal_owner,delivery_limit,leader,members,online"
#define SMALL_WITH_TOTALS SMALL ",messages,messages_ready,messages_unacknowledged"

static const struct listing_kind listing_queues = {.gather = &gather_queues,
                                                   .render = render_queue,
                                                   .order = order_queue,
                                                   .name = name_queue,
                                                   .small = SMALL,
                                                   .small_totals = SMALL_WITH_TOTALS};

static void list_all(struct request *r)
{
    listing_gather(r, listing_new(r, &listing_queues), NULL);
}

static void list_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    listing_gather(r, listing_new(r, &listing_queues), &vhost);
}

/* ---- One queue. */

struct one_queue {
    struct gather consumers; /* first: got_consumers takes the gather for the whole struct */
    struct bytes name;       /* of the queue that the path names */
    struct arena arena;
    struct queue_info info;
    bool found;
};

static void free_one_queue(void *work)
{
    struct one_queue *one = work;
    gather_free(&one->consumers);
    arena_free(&one->arena);
    free(one);
}

static void find_queue(struct vhost *vhost, void *argument)
{
    struct one_queue *one = argument;
    one->found = vhost_find_queue(vhost, one->name, &one->info);
    if (one->found)
        gather_queues.keep(&one->info, &one->arena);
}

/* Looks the queue up, then calls found; the request's work is a struct one_queue. */
static void with_queue(struct request *r, void (*found)(struct request *r))
{
    struct one_queue *one = request_work(r, sizeof *one, free_one_queue);
    one->name = r->args[1];
    request_ask(r, request_vhost(r), find_queue, one, found);
}

static bool of_queue(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct consumer_info *)info)->queue, gather->wanted[0]);
}

static void render_one_queue(struct request *r, struct answer *a, const struct row *row)
{
    const struct one_queue *one = r->work;
    render_queue(r, a, row);
    if (answer_array(a, "consumer_details")) {
        for (size_t i = 0; i < one->consumers.row_count; i++)
            if (answer_object(a, NULL)) {
                api_consumer_write(r, a, &one->consumers.rows[i]);
                answer_end(a);
            }
        answer_end(a);
    }
    if (answer_array(a, "deliveries"))
        answer_end(a);
    if (answer_array(a, "incoming"))
        answer_end(a);
}

static void got_consumers(struct request *r, struct gather *gather)
{
    static const struct listing_kind kind = {.gather = &gather_queues,
                                             .render = render_one_queue,
                                             .small = SMALL,
                                             .small_totals = SMALL_WITH_TOTALS};
    const struct one_queue *one = (const struct one_queue *)(const void *)gather;
    const struct row row = {request_vhost(r), &one->info};
    listing_respond_one(r, &kind, &row);
}

static void queue_found(struct request *r)
{
    struct one_queue *one = r->work;
    struct bytes vhost = request_vhost(r);
    if (!one->found) {
        respond_not_found(r);
        return;
    }
    if (one->info.consumers == 0) {
        got_consumers(r, &one->consumers);
        return;
    }
    one->consumers.kind = &gather_consumers;
    one->consumers.pick = of_queue;
    one->consumers.wanted[0] = one->name;
    gather_run(r, &one->consumers, &vhost, got_consumers);
}

static void get_queue(struct request *r)
{
    with_queue(r, queue_found);
}

/* ---- Changing. */

static void queue_created(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_created(r, true);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void queue_changed(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_created(r, false);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void declare(struct request *r)
{
    bool existed = ((struct one_queue *)r->work)->found;
    struct command command = {.type = COMMAND_QUEUE_DECLARE};
    struct form form = body_form(r);
    struct text arguments = {0};
    form_table(&form, "arguments", &arguments);
    command.u.queue_declare.name = r->args[1];
    command.u.queue_declare.arguments = text_bytes(&arguments);
    command.u.queue_declare.durable = form_bool(&form, "durable", false);
    command.u.queue_declare.auto_delete = form_bool(&form, "auto_delete", false);
    if (body_ok(r, &form))
        client_command(r, request_vhost(r), &command, existed ? queue_changed : queue_created);
    text_free(&arguments);
}

static void put_queue(struct request *r)
{
    if (r->args[1].len > NAME_BYTES_MAX)
        respond_bad_request(r, "name too long");
    else if (access_allowed(r, PERMISSION_CONFIGURE, request_vhost(r), r->args[1]))
        with_queue(r, declare);
}

static void delete_found(struct request *r)
{
    if (!((struct one_queue *)r->work)->found) {
        respond_not_found(r);
        return;
    }
    struct command command = {.type = COMMAND_QUEUE_DELETE};
    command.u.queue_delete.name = r->args[1];
    command.u.queue_delete.if_empty = request_query_true(r, "if-empty");
    command.u.queue_delete.if_unused = request_query_true(r, "if-unused");
    client_command(r, request_vhost(r), &command, queue_changed);
}

static void delete_queue(struct request *r)
{
    if (access_allowed(r, PERMISSION_CONFIGURE, request_vhost(r), r->args[1]))
        with_queue(r, delete_found);
}

static void purge_found(struct request *r)
{
    if (!((struct one_queue *)r->work)->found) {
        respond_not_found(r);
        return;
    }
    struct command command = {.type = COMMAND_QUEUE_PURGE};
    command.u.queue_purge.name = r->args[1];
    client_command(r, request_vhost(r), &command, queue_changed);
}

static void purge_queue(struct request *r)
{
    if (access_allowed(r, PERMISSION_READ, request_vhost(r), r->args[1]))
        with_queue(r, purge_found);
}

/* ---- Pausing: paths of LavinMQ. */

static void change_pause(struct request *r, bool paused)
{
    struct command command = {.type = COMMAND_QUEUE_PAUSE};
    command.u.queue_pause.name = r->args[1];
    command.u.queue_pause.paused = paused;
    if (access_allowed(r, PERMISSION_CONFIGURE, request_vhost(r), r->args[1]))
        client_command(r, request_vhost(r), &command, queue_changed);
}

static void pause_queue(struct request *r)
{
    change_pause(r, true);
}

static void resume_queue(struct request *r)
{
    change_pause(r, false);
}

/* The actions sync and cancel_sync concern mirrors; there are none, so there is nothing to do. */
static void act_on_queue(struct request *r)
{
    struct form form = body_form(r);
    const char *action = form_text(&form, "action", NULL);
    if (!body_ok(r, &form))
        return;
    if (action && (strcmp(action, "sync") == 0 || strcmp(action, "cancel_sync") == 0))
        respond_empty(r, 204);
    else
        respond_bad_pair(r, "unknown", bytes_of_text(action ? action : ""));
}

/* ---- Routes. */

const struct route api_queues[] = {
    {METHOD_GET, "/api/queues", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/queues/detailed", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/queues/:v", list_of_vhost, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/queues/:v/:q", get_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_PUT, "/api/queues/:v/:q", put_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_DELETE, "/api/queues/:v/:q", delete_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_DELETE, "/api/queues/:v/:q/contents", purge_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_PUT, "/api/queues/:v/:q/pause", pause_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_PUT, "/api/queues/:v/:q/resume", resume_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_POST, "/api/queues/:v/:q/actions", act_on_queue, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
