/* Part of the api: consumers. */
#include "admin/resource/connections.h"

#include "admin/json/arguments.h"
#include "admin/listing/listing.h"
#include "admin/resource/client.h"
#include "admin/resource/details.h"

static void write_channel(struct request *r, struct answer *a, const struct consumer_info *c)
{
    struct text name = {0};
    if (!answer_wants(a, "channel_details"))
        return;
    text_printf(&name, "%.*s (%u)", BYTES_PRINT(c->peer_name), c->channel);
    answer_object(a, "channel_details");
    answer_bytes(a, "name", text_bytes(&name));
    answer_uint(a, "number", c->channel);
    answer_bytes(a, "user", c->user);
    answer_bytes(a, "connection_name", c->peer_name);
    answer_text(a, "node", r->admin->options.node_name);
    api_peer_fields(a, c->peer_name);
    answer_end(a);
    text_free(&name);
}

/* Writes the time as RabbitMQ 4.3 does; "infinity" means that there is none. */
static void write_timeout(struct answer *a, uint64_t timeout_ms)
{
    if (timeout_ms)
        answer_uint(a, "consumer_timeout", timeout_ms);
    else
        answer_text(a, "consumer_timeout", "infinity");
}

void api_consumer_write(struct request *r, struct answer *a, const struct row *row)
{
    const struct consumer_info *c = row->info;
    answer_bytes(a, "consumer_tag", c->tag);
    if (answer_object(a, "queue")) {
        answer_bytes(a, "name", c->queue);
        answer_bytes(a, "vhost", row->vhost);
        answer_end(a);
    }
    write_channel(r, a, c);
    answer_bool(a, "ack_required", c->ack_required);
    answer_bool(a, "exclusive", c->exclusive);
    answer_bool(a, "active", c->active);
    answer_text(a, "activity_status",
                c->single_active ? "single_active"
                : c->active      ? "up"
                                 : "waiting");
    answer_uint(a, "prefetch_count", c->prefetch_count);
    write_timeout(a, c->timeout_ms);
    arguments_write(a, "arguments", c->arguments);
}

static void order_consumer(const struct row *row, struct listing_order *order)
{
    const struct consumer_info *c = row->info;
    order->keys[0] = row->vhost;
    order->keys[1] = c->queue;
    order->keys[2] = c->tag;
}

static struct bytes name_consumer(const struct row *row)
{
    return ((const struct consumer_info *)row->info)->tag;
}

static const struct listing_kind listing_consumers = {.gather = &gather_consumers,
                                                      .render = api_consumer_write,
                                                      .order = order_consumer,
                                                      .name = name_consumer,
                                                      .unpaged = true};

static void list_all(struct request *r)
{
    listing_gather(r, listing_new(r, &listing_consumers), NULL);
}

static void list_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    listing_gather(r, listing_new(r, &listing_consumers), &vhost);
}

/* ---- Routes. */

const struct route api_consumers[] = {
    {METHOD_GET, "/api/consumers", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/consumers/:v", list_of_vhost, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
