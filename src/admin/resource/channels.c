/* Part of the api: channels: all of them, those of a vhost or a connection, one with its consumers.
 * The channels of the API's own links (client.h) are left out. */
#include "admin/resource/connections.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"
#include "admin/resource/client.h"
#include "admin/resource/details.h"

static void write_rates(struct request *r, struct answer *a, struct bytes vhost,
                        const struct channel_info *c)
{
    uint64_t values[STATS_COUNT];
    const struct archive_object object = {.kind = ARCHIVE_CHANNEL,
                                          .number = c->sample_number,
                                          .born_ms = c->born_wall_ms,
                                          .sampled_before = c->sampled_before,
                                          .values = values};
    struct told told;
    bool wanted = answer_wants(a, "message_stats") && !a->capture;
    stats_values(&c->rates, 0, 0, values);
    stats_tell(r, 'v', vhost, &object, (unsigned)wanted << RANGE_RATES, &told);
    stats_write(a, values, &told, STATS_MESSAGES);
    told_free(&told);
}

static void render_channel(struct request *r, struct answer *a, const struct row *row)
{
    const struct channel_info *c = row->info;
    struct text name = {0};
    text_printf(&name, "%.*s (%u)", BYTES_PRINT(c->peer_name), c->number);
    answer_bytes(a, "name", text_bytes(&name));
    answer_bytes(a, "vhost", row->vhost);
    answer_bytes(a, "user", c->user);
    answer_bytes(a, "user_who_performed_action", c->user);
    answer_text(a, "node", r->admin->options.node_name);
    answer_uint(a, "number", c->number);
    answer_text(a, "state", "running");
    answer_bool(a, "confirm", c->confirm);
    answer_bool(a, "transactional", c->transactional);
    answer_uint(a, "prefetch_count", c->prefetch_count);
    answer_uint(a, "global_prefetch_count", c->global_prefetch_count);
    answer_uint(a, "consumer_count", c->consumers);
    answer_uint(a, "messages_unacknowledged", c->messages_unacknowledged);
    answer_uint(a, "messages_unconfirmed", c->messages_unconfirmed);
    answer_uint(a, "messages_uncommitted", c->messages_uncommitted);
    answer_uint(a, "acks_uncommitted", c->acks_uncommitted);
    api_connection_write(a, "connection_details", c->peer_name);
    write_rates(r, a, row->vhost, c);
    if (c->idle_since_wall_ms)
        api_time_write(a, "idle_since", c->idle_since_wall_ms);
    text_free(&name);
}

static void order_channel(const struct row *row, struct listing_order *order)
{
    const struct channel_info *c = row->info;
    order->keys[0] = row->vhost;
    order->keys[1] = c->peer_name;
    order->number = c->number;
}

static struct bytes name_channel(const struct row *row)
{
    return ((const struct channel_info *)row->info)->peer_name;
}

/* A user who does not monitor sees the channels of his own connections only. */
static bool visible_channel(const struct request *r, const struct row *row)
{
    const struct channel_info *c = row->info;
    return (r->rights & RIGHT_MONITORING) || bytes_equal_text(c->user, r->user);
}

#define SMALL "name,number,node,user,user_who_performed_action,vhost,connection_details"

static const struct listing_kind listing_channels = {.gather = &gather_channels,
                                                     .render = render_channel,
                                                     .order = order_channel,
                                                     .name = name_channel,
                                                     .visible = visible_channel,
                                                     .small = SMALL};

static bool of_a_connection(const struct gather *gather, const void *info)
{
    (void)gather;
    return !bytes_equal_text(((const struct channel_info *)info)->peer_name, CLIENT_NAME);
}

static bool of_this_connection(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct channel_info *)info)->peer_name, gather->wanted[0]);
}

static void list(struct request *r, const struct bytes *vhost,
                 bool (*pick)(const struct gather *gather, const void *info), struct bytes wanted)
{
    struct listing *listing = listing_new(r, &listing_channels);
    listing_rows(listing)->pick = pick;
    listing_rows(listing)->wanted[0] = wanted;
    listing_gather(r, listing, vhost);
}

static void list_all(struct request *r)
{
    list(r, NULL, of_a_connection, (struct bytes){0});
}

static void list_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &vhost, of_a_connection, (struct bytes){0});
}

static void list_of_connection(struct request *r)
{
    list(r, NULL, of_this_connection, r->args[0]);
}

/* ---- One channel. */

struct one_channel {
    struct gather channels;
    struct gather consumers;
};

static void free_one_channel(void *work)
{
    struct one_channel *one = work;
    gather_free(&one->channels);
    gather_free(&one->consumers);
    free(one);
}

/* Returns true when the channel has the name that is wanted: "CONNECTION (NUMBER)". */
static bool is_called(const struct gather *gather, const void *info)
{
    const struct channel_info *c = info;
    char number[16];
    size_t len = (size_t)snprintf(number, sizeof number, " (%u)", c->number);
    struct bytes name = gather->wanted[0];
    return name.len == c->peer_name.len + len &&
           memcmp(name.at, c->peer_name.at, c->peer_name.len) == 0 &&
           memcmp(name.at + c->peer_name.len, number, len) == 0;
}

static void render_one_channel(struct request *r, struct answer *a, const struct row *row)
{
    static const char *const lists[] = {"publishes", "deliveries"};
    const struct one_channel *one = r->work;
    const struct channel_info *c = row->info;
    render_channel(r, a, row);
    if (answer_array(a, "consumer_details")) {
        for (size_t i = 0; i < one->consumers.row_count; i++) {
            const struct consumer_info *consumer = one->consumers.rows[i].info;
            if (consumer->channel == c->number && answer_object(a, NULL)) {
                api_consumer_write(r, a, &one->consumers.rows[i]);
                answer_end(a);
            }
        }
        answer_end(a);
    }
    for (size_t i = 0; i < 2; i++)
        if (answer_array(a, lists[i]))
            answer_end(a);
}

static void got_consumers(struct request *r, struct gather *gather)
{
    static const struct listing_kind kind = {
        .gather = &gather_channels, .render = render_one_channel, .small = SMALL};
    const struct one_channel *one = r->work;
    (void)gather;
    listing_respond_one(r, &kind, &one->channels.rows[0]);
}

static bool of_peer(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct consumer_info *)info)->peer_name, gather->wanted[0]);
}

static void got_channel(struct request *r, struct gather *gather)
{
    struct one_channel *one = r->work;
    if (gather->row_count == 0) {
        respond_not_found(r);
        return;
    }
    if (!visible_channel(r, &gather->rows[0])) {
        respond_refused(r);
        return;
    }
    one->consumers.kind = &gather_consumers;
    one->consumers.pick = of_peer;
    one->consumers.wanted[0] = ((const struct channel_info *)gather->rows[0].info)->peer_name;
    gather_run(r, &one->consumers, &gather->rows[0].vhost, got_consumers);
}

static void get_channel(struct request *r)
{
    struct one_channel *one = request_work(r, sizeof *one, free_one_channel);
    one->channels.kind = &gather_channels;
    one->channels.pick = is_called;
    one->channels.wanted[0] = r->args[0];
    gather_run(r, &one->channels, NULL, got_channel);
}

/* ---- Routes. */

const struct route api_channels[] = {
    {METHOD_GET, "/api/connections/:c/channels", list_of_connection, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/channels", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/channels/:c", get_channel, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/vhosts/:v/channels", list_of_vhost, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
