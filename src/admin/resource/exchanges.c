/* Part of the api: exchanges: listed, shown, declared and deleted. */
#include "admin/resource/exchanges.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/json/arguments.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"
#include "admin/resource/client.h"
#include "leveret/wire/cursor.h"

static void write_rates(struct request *r, struct answer *a, struct bytes vhost,
                        const struct exchange_info *x)
{
    const uint64_t values[EXCHANGE_NUMBERS] = {x->publish_in, x->publish_out,
                                               x->unroutable_returned, x->unroutable_dropped};
    static const char *const names[EXCHANGE_NUMBERS] = {"publish_in", "publish_out",
                                                        "return_unroutable", "drop_unroutable"};
    const struct archive_object object = {.kind = ARCHIVE_EXCHANGE,
                                          .number = x->sample_number,
                                          .born_ms = x->born_wall_ms,
                                          .sampled_before = x->sampled_before,
                                          .values = values};
    struct told told;
    if (!answer_object(a, "message_stats"))
        return;
    stats_tell(r, 'v', vhost, &object, a->capture ? 0 : 1u << RANGE_RATES, &told);
    for (unsigned i = 0; i < EXCHANGE_NUMBERS; i++)
        stats_write_detail(a, names[i], values[i], &told, i, RANGE_RATES);
    told_free(&told);
    answer_end(a);
}

static void render_exchange(struct request *r, struct answer *a, const struct row *row)
{
    const struct exchange_info *x = row->info;
    bool ours = x->name.len == 0 || bytes_start_with(x->name, "amq.");
    answer_bytes(a, "name", x->name);
    answer_bytes(a, "vhost", row->vhost);
    answer_bytes(a, "type", x->type);
    answer_bool(a, "durable", x->durable);
    answer_bool(a, "auto_delete", x->auto_delete);
    answer_bool(a, "internal", x->internal);
    arguments_write(a, "arguments", x->arguments);
    if (x->policy.len)
        answer_bytes(a, "policy", x->policy);
    if (ours)
        answer_text(a, "user_who_performed_action", "rmq-internal");
    if (x->delays)
        answer_uint(a, "messages_delayed", x->messages_delayed);
    if (x->deduplicated)
        answer_uint(a, "deduplicated", x->deduplicated);
    write_rates(r, a, row->vhost, x);
}

static void order_exchange(const struct row *row, struct listing_order *order)
{
    order->keys[0] = row->vhost;
    order->keys[1] = ((const struct exchange_info *)row->info)->name;
}

static struct bytes name_exchange(const struct row *row)
{
    return ((const struct exchange_info *)row->info)->name;
}

#define SMALL                                                                                      \
    "name,vhost,type,durable,auto_delete,internal,arguments,user_who_performed_action,policy"

static const struct listing_kind listing_exchanges = {.gather = &gather_exchanges,
                                                      .render = render_exchange,
                                                      .order = order_exchange,
                                                      .name = name_exchange,
                                                      .small = SMALL};

static void list_all(struct request *r)
{
    listing_gather(r, listing_new(r, &listing_exchanges), NULL);
}

static void list_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    listing_gather(r, listing_new(r, &listing_exchanges), &vhost);
}

/* ---- One exchange. */

struct one_exchange {
    struct bytes name; /* of the exchange that the path names */
    struct arena arena;
    struct exchange_info info;
    bool found;
};

static void free_one_exchange(void *work)
{
    struct one_exchange *one = work;
    arena_free(&one->arena);
    free(one);
}

static void find_exchange(struct vhost *vhost, void *argument)
{
    struct one_exchange *one = argument;
    one->found = vhost_find_exchange(vhost, one->name, &one->info);
    if (one->found)
        gather_exchanges.keep(&one->info, &one->arena);
}

static void with_exchange(struct request *r, void (*found)(struct request *r))
{
    struct one_exchange *one = request_work(r, sizeof *one, free_one_exchange);
    one->name = request_exchange(r, 1);
    request_ask(r, request_vhost(r), find_exchange, one, found);
}

static void render_one_exchange(struct request *r, struct answer *a, const struct row *row)
{
    render_exchange(r, a, row);
    if (answer_array(a, "incoming"))
        answer_end(a);
    if (answer_array(a, "outgoing"))
        answer_end(a);
}

static void exchange_found(struct request *r)
{
    static const struct listing_kind kind = {
        .gather = &gather_exchanges, .render = render_one_exchange, .small = SMALL};
    const struct one_exchange *one = r->work;
    const struct row row = {request_vhost(r), &one->info};
    if (one->found)
        listing_respond_one(r, &kind, &row);
    else
        respond_not_found(r);
}

static void get_exchange(struct request *r)
{
    with_exchange(r, exchange_found);
}

/* ---- Changing. */

static void exchange_created(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_created(r, true);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void exchange_changed(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_created(r, false);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void declare(struct request *r)
{
    bool existed = ((struct one_exchange *)r->work)->found;
    struct command command = {.type = COMMAND_EXCHANGE_DECLARE};
    struct form form = body_form(r);
    struct text arguments = {0};
    form_table(&form, "arguments", &arguments);
    command.u.exchange_declare.name = request_exchange(r, 1);
    command.u.exchange_declare.type = form_name(&form, "type", BYTES_LITERAL("direct"));
    command.u.exchange_declare.arguments = text_bytes(&arguments);
    command.u.exchange_declare.durable = form_bool(&form, "durable", false);
    command.u.exchange_declare.auto_delete = form_bool(&form, "auto_delete", false);
    command.u.exchange_declare.internal = form_bool(&form, "internal", false);
    if (body_ok(r, &form))
        client_command(r, request_vhost(r), &command,
                       existed ? exchange_changed : exchange_created);
    text_free(&arguments);
}

static void put_exchange(struct request *r)
{
    if (r->args[1].len > NAME_BYTES_MAX)
        respond_bad_request(r, "name too long");
    else if (access_allowed(r, PERMISSION_CONFIGURE, request_vhost(r), request_exchange(r, 1)))
        with_exchange(r, declare);
}

static void delete_found(struct request *r)
{
    if (!((struct one_exchange *)r->work)->found) {
        respond_not_found(r);
        return;
    }
    struct command command = {.type = COMMAND_EXCHANGE_DELETE};
    command.u.exchange_delete.name = request_exchange(r, 1);
    command.u.exchange_delete.if_unused = request_query_true(r, "if-unused");
    client_command(r, request_vhost(r), &command, exchange_changed);
}

static void delete_exchange(struct request *r)
{
    if (access_allowed(r, PERMISSION_CONFIGURE, request_vhost(r), request_exchange(r, 1)))
        with_exchange(r, delete_found);
}

/* ---- Routes. */

const struct route api_exchanges[] = {
    {METHOD_GET, "/api/exchanges", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/exchanges/:v", list_of_vhost, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/exchanges/:v/:x", get_exchange, ACCESS_VHOST, BODY_SMALL},
    {METHOD_PUT, "/api/exchanges/:v/:x", put_exchange, ACCESS_VHOST, BODY_SMALL},
    {METHOD_DELETE, "/api/exchanges/:v/:x", delete_exchange, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
