/* Part of the api: bindings: they are listed by vhost and by their ends, found by their properties
 * key, made and deleted.
 *
 * The default exchange's bindings are not stored, since each queue implies one; they are listed all
 * the same. */
#include "admin/resource/bindings.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/json/arguments.h"
#include "admin/json/url.h"
#include "admin/listing/listing.h"
#include "admin/resource/client.h"

static void render_binding(struct request *r, struct answer *a, const struct row *row)
{
    const struct binding_info *b = row->info;
    struct text key = {0};
    (void)r;
    answer_bytes(a, "source", b->source);
    answer_bytes(a, "vhost", row->vhost);
    answer_bytes(a, "destination", b->destination);
    answer_text(a, "destination_type", b->to_exchange ? "exchange" : "queue");
    answer_bytes(a, "routing_key", b->routing_key);
    arguments_write(a, "arguments", b->arguments);
    if (answer_wants(a, "properties_key")) {
        url_binding_key(&key, b->routing_key, b->arguments);
        answer_bytes(a, "properties_key", text_bytes(&key));
        text_free(&key);
    }
}

static void order_binding(const struct row *row, struct listing_order *order)
{
    const struct binding_info *b = row->info;
    order->keys[0] = row->vhost;
    order->keys[1] = b->source;
    order->keys[2] = b->destination;
    order->keys[3] = b->routing_key;
    order->keys[4] = b->arguments;
}

static struct bytes name_binding(const struct row *row)
{
    return ((const struct binding_info *)row->info)->source;
}

static const struct listing_kind listing_bindings = {.gather = &gather_bindings,
                                                     .render = render_binding,
                                                     .order = order_binding,
                                                     .name = name_binding,
                                                     .unpaged = true};

/* ---- Listings. */

static void list(struct request *r, const struct bytes *vhost,
                 bool (*pick)(const struct gather *gather, const void *info), struct bytes a,
                 struct bytes b)
{
    struct listing *listing = listing_new(r, &listing_bindings);
    struct gather *gather = listing_rows(listing);
    gather->pick = pick;
    gather->wanted[0] = a;
    gather->wanted[1] = b;
    listing_gather(r, listing, vhost);
}

static void list_all(struct request *r)
{
    list(r, NULL, NULL, (struct bytes){0}, (struct bytes){0});
}

static void list_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, NULL, (struct bytes){0}, (struct bytes){0});
}

static bool to_queue(const struct gather *gather, const void *info)
{
    const struct binding_info *b = info;
    return !b->to_exchange && bytes_equal(b->destination, gather->wanted[0]);
}

static bool to_exchange(const struct gather *gather, const void *info)
{
    const struct binding_info *b = info;
    return b->to_exchange && bytes_equal(b->destination, gather->wanted[0]);
}

static bool from_exchange(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct binding_info *)info)->source, gather->wanted[0]);
}

static bool between_queue(const struct gather *gather, const void *info)
{
    return to_queue(gather, info) &&
           bytes_equal(((const struct binding_info *)info)->source, gather->wanted[1]);
}

static bool between_exchange(const struct gather *gather, const void *info)
{
    return to_exchange(gather, info) &&
           bytes_equal(((const struct binding_info *)info)->source, gather->wanted[1]);
}

static void list_of_queue(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, to_queue, r->args[1], (struct bytes){0});
}

static void list_of_source(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, from_exchange, request_exchange(r, 1), (struct bytes){0});
}

static void list_of_destination(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, to_exchange, request_exchange(r, 1), (struct bytes){0});
}

static void list_between_exchange_and_queue(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, between_queue, r->args[2], request_exchange(r, 1));
}

static void list_between_exchanges(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, between_exchange, request_exchange(r, 2), request_exchange(r, 1));
}

/* ---- One binding, by its properties key. */

struct one_binding {
    struct gather gather; /* first: gathered takes the gather for the whole struct */
    void (*found)(struct request *r, const struct row *row);
};

static void free_one_binding(void *work)
{
    struct one_binding *one = work;
    gather_free(&one->gather);
    free(one);
}

/* Returns true when the path names this binding. Clients send its key as they have read it: encoded
 * once more, or not. */
static bool key_is(struct request *r, const struct binding_info *b)
{
    struct text key = {0};
    url_binding_key(&key, b->routing_key, b->arguments);
    bool is =
        bytes_equal(text_bytes(&key), r->args[3]) || bytes_equal(text_bytes(&key), r->raw_args[3]);
    text_free(&key);
    return is;
}

static void gathered(struct request *r, struct gather *gather)
{
    const struct one_binding *one = (const struct one_binding *)(const void *)gather;
    for (size_t i = 0; i < gather->row_count; i++)
        if (key_is(r, gather->rows[i].info)) {
            one->found(r, &gather->rows[i]);
            return;
        }
    respond_not_found(r);
}

static void with_binding(struct request *r, bool exchange,
                         void (*found)(struct request *r, const struct row *row))
{
    struct one_binding *one = request_work(r, sizeof *one, free_one_binding);
    struct bytes vhost = request_vhost(r);
    one->found = found;
    one->gather.kind = &gather_bindings;
    one->gather.pick = exchange ? between_exchange : between_queue;
    one->gather.wanted[0] = exchange ? request_exchange(r, 2) : r->args[2];
    one->gather.wanted[1] = request_exchange(r, 1);
    gather_run(r, &one->gather, &vhost, gathered);
}

static void show(struct request *r, const struct row *row)
{
    listing_respond_one(r, &listing_bindings, row);
}

static void get_queue_binding(struct request *r)
{
    with_binding(r, false, show);
}

static void get_exchange_binding(struct request *r)
{
    with_binding(r, true, show);
}

/* ---- Changing. */

static bool may_bind(struct request *r, struct bytes source, struct bytes destination)
{
    return access_allowed(r, PERMISSION_WRITE, request_vhost(r), destination) &&
           access_allowed(r, PERMISSION_READ, request_vhost(r), source);
}

static void unbound(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_empty(r, 204);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void unbind(struct request *r, const struct row *row)
{
    const struct binding_info *b = row->info;
    struct command command = {.type =
                                  b->to_exchange ? COMMAND_EXCHANGE_UNBIND : COMMAND_QUEUE_UNBIND};
    if (!may_bind(r, b->source, b->destination))
        return;
    /* client_command frees the request's work, and the row with it, before the link has copied the
     * command. */
    struct arena arena = {0};
    struct binding_info copy = *b;
    gather_bindings.keep(&copy, &arena);
    command.u.bind.source = copy.source;
    command.u.bind.destination = copy.destination;
    command.u.bind.routing_key = copy.routing_key;
    command.u.bind.arguments = copy.arguments;
    client_command(r, request_vhost(r), &command, unbound);
    arena_free(&arena);
}

static void delete_queue_binding(struct request *r)
{
    with_binding(r, false, unbind);
}

static void delete_exchange_binding(struct request *r)
{
    with_binding(r, true, unbind);
}

static void bound(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status != STATUS_OK) {
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
        return;
    }
    struct form form = body_form(r);
    struct text arguments = {0}, key = {0}, location = {0};
    form_table(&form, "arguments", &arguments);
    url_binding_key(&key, form_name(&form, "routing_key", bytes_of("", 0)), text_bytes(&arguments));
    url_quote(&location, r->args[2], false);
    text_add(&location, "/", 1);
    url_quote(&location, text_bytes(&key), false);
    text_add(&location, "", 1);
    respond_location(r, (const char *)location.at);
    text_free(&arguments);
    text_free(&key);
    text_free(&location);
}

static void bind(struct request *r, bool exchange)
{
    struct command command = {.type = exchange ? COMMAND_EXCHANGE_BIND : COMMAND_QUEUE_BIND};
    struct bytes source = request_exchange(r, 1);
    struct bytes destination = exchange ? request_exchange(r, 2) : r->args[2];
    struct form form = body_form(r);
    struct text arguments = {0};
    form_table(&form, "arguments", &arguments);
    command.u.bind.source = source;
    command.u.bind.destination = destination;
    command.u.bind.routing_key = form_name(&form, "routing_key", bytes_of("", 0));
    command.u.bind.arguments = text_bytes(&arguments);
    if (may_bind(r, source, destination) && body_ok(r, &form))
        client_command(r, request_vhost(r), &command, bound);
    text_free(&arguments);
}

static void post_queue_binding(struct request *r)
{
    bind(r, false);
}

static void post_exchange_binding(struct request *r)
{
    bind(r, true);
}

/* ---- Routes. */

const struct route api_bindings[] = {
    {METHOD_GET, "/api/exchanges/:v/:x/bindings/source", list_of_source, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/exchanges/:v/:x/bindings/destination", list_of_destination, ACCESS_VHOST,
     BODY_SMALL},
    {METHOD_GET, "/api/queues/:v/:q/bindings", list_of_queue, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/bindings", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/bindings/:v", list_of_vhost, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/bindings/:v/e/:x/q/:q", list_between_exchange_and_queue, ACCESS_VHOST,
     BODY_SMALL},
    {METHOD_POST, "/api/bindings/:v/e/:x/q/:q", post_queue_binding, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/bindings/:v/e/:x/q/:q/:p", get_queue_binding, ACCESS_VHOST, BODY_SMALL},
    {METHOD_DELETE, "/api/bindings/:v/e/:x/q/:q/:p", delete_queue_binding, ACCESS_VHOST,
     BODY_SMALL},
    {METHOD_GET, "/api/bindings/:v/e/:x/e/:y", list_between_exchanges, ACCESS_VHOST, BODY_SMALL},
    {METHOD_POST, "/api/bindings/:v/e/:x/e/:y", post_exchange_binding, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/bindings/:v/e/:x/e/:y/:p", get_exchange_binding, ACCESS_VHOST, BODY_SMALL},
    {METHOD_DELETE, "/api/bindings/:v/e/:x/e/:y/:p", delete_exchange_binding, ACCESS_VHOST,
     BODY_SMALL},
    ROUTES_END,
};
