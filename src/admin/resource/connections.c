/* Part of the api: connections: all of them, those of a vhost or user, one, and closing them with a
 * reason. The sessions of each worker know its connections. */
#include "admin/resource/connections.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/json/arguments.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

static void write_octets(struct request *r, struct answer *a, const struct session_info *s)
{
    const uint64_t values[CONNECTION_NUMBERS] = {s->received_bytes, s->sent_bytes};
    const struct archive_object object = {.kind = ARCHIVE_CONNECTION,
                                          .number = s->id,
                                          .born_ms = s->connected_wall_ms,
                                          .sampled_before = s->sampled_before,
                                          .values = values};
    struct told told;
    stats_tell(r, 'c', bytes_of("", 0), &object, a->capture ? 0 : 1u << RANGE_DATA, &told);
    stats_write_detail(a, "recv_oct", values[0], &told, 0, RANGE_DATA);
    stats_write_detail(a, "send_oct", values[1], &told, 1, RANGE_DATA);
    told_free(&told);
    answer_uint(a, "recv_cnt", s->reads);
    answer_uint(a, "send_cnt", s->writes);
    answer_uint(a, "send_pend", s->send_pending_bytes);
}

/* What there is not is null in lists and "" for a single connection, as in RabbitMQ. */
static void text_or_nothing(struct answer *a, const char *key, const char *text, bool listed)
{
    if (text[0] || !listed)
        answer_text(a, key, text);
    else
        answer_null(a, key);
}

static void write_tls(struct answer *a, const struct tls_facts *tls, bool listed)
{
    static const struct tls_facts none;
    answer_bool(a, "ssl", tls != NULL);
    if (!tls)
        tls = &none;
    text_or_nothing(a, "ssl_protocol", tls->protocol, listed);
    text_or_nothing(a, "ssl_key_exchange", tls->key_exchange, listed);
    text_or_nothing(a, "ssl_cipher", tls->cipher, listed);
    text_or_nothing(a, "ssl_hash", tls->hash, listed);
    text_or_nothing(a, "peer_cert_issuer", tls->peer_issuer, listed);
    text_or_nothing(a, "peer_cert_subject", tls->peer_subject, listed);
    text_or_nothing(a, "peer_cert_validity", tls->peer_validity, listed);
}

/* Writes the name that the client gave its connection, if it gave one. */
static void write_given_name(struct answer *a, const struct session_info *s)
{
    struct field given;
    if (table_find(s->client_properties, "connection_name", &given) && given.type == FIELD_STRING)
        answer_bytes(a, "user_provided_name", given.value.bytes);
}

static void write_connection(struct request *r, struct answer *a, const struct row *row,
                             bool listed)
{
    const struct session_info *s = row->info;
    answer_bytes(a, "name", s->name);
    write_given_name(a, s);
    answer_bytes(a, "vhost", s->vhost);
    answer_bytes(a, "user", s->user);
    answer_bytes(a, "user_who_performed_action", s->user);
    answer_text(a, "node", r->admin->options.node_name);
    answer_text(a, "type", "network");
    answer_text(a, "protocol", "AMQP 0-9-1");
    answer_bytes(a, "auth_mechanism", s->mechanism);
    answer_text(a, "state", s->state);
    answer_uint(a, "connected_at", s->connected_wall_ms);
    answer_bytes(a, "host", s->host);
    answer_uint(a, "port", s->port);
    answer_bytes(a, "peer_host", s->peer_host);
    answer_uint(a, "peer_port", s->peer_port);
    answer_uint(a, "channels", s->channels);
    answer_uint(a, "channel_max", s->channel_max);
    answer_uint(a, "frame_max", s->frame_max);
    answer_uint(a, "timeout", s->heartbeat_s);
    arguments_write(a, "client_properties", s->client_properties);
    write_octets(r, a, s);
    write_tls(a, s->tls, listed);
}

static void render_connection(struct request *r, struct answer *a, const struct row *row)
{
    write_connection(r, a, row, true);
}

static void render_one_connection(struct request *r, struct answer *a, const struct row *row)
{
    write_connection(r, a, row, false);
}

static void order_connection(const struct row *row, struct listing_order *order)
{
    const struct session_info *s = row->info;
    order->keys[0] = s->vhost;
    order->keys[1] = s->name;
}

static struct bytes name_connection(const struct row *row)
{
    return ((const struct session_info *)row->info)->name;
}

/* A user who does not monitor sees his own connections only. */
static bool visible_connection(const struct request *r, const struct row *row)
{
    const struct session_info *s = row->info;
    return (r->rights & RIGHT_MONITORING) || bytes_equal_text(s->user, r->user);
}

#define SMALL                                                                                      \
    "name,user,vhost,node,type,protocol,auth_mechanism,connected_at,host,port,peer_host,peer_"     \
    "port,"                                                                                        \
    "channel_max,frame_max,timeout,client_properties,user_provided_name,"                          \
    "user_who_performed_action,ssl,ssl_protocol,ssl_key_exchange,ssl_cipher,ssl_hash,"             \
    "peer_cert_issuer,peer_cert_subject,peer_cert_validity"

static const struct listing_kind listing_connections = {.gather = &gather_sessions,
                                                        .render = render_connection,
                                                        .order = order_connection,
                                                        .name = name_connection,
                                                        .visible = visible_connection,
                                                        .small = SMALL};
static const struct listing_kind one_connection = {
    .gather = &gather_sessions, .render = render_one_connection, .small = SMALL};

static void list_all(struct request *r)
{
    listing_gather(r, listing_new(r, &listing_connections), NULL);
}

static bool on_vhost(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct session_info *)info)->vhost, gather->wanted[0]);
}

static bool of_user(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct session_info *)info)->user, gather->wanted[0]);
}

static bool is_called(const struct gather *gather, const void *info)
{
    return bytes_equal(((const struct session_info *)info)->name, gather->wanted[0]);
}

static void list_of_vhost(struct request *r)
{
    struct listing *listing = listing_new(r, &listing_connections);
    listing_rows(listing)->pick = on_vhost;
    listing_rows(listing)->wanted[0] = request_vhost(r);
    listing_gather(r, listing, NULL);
}

static void list_of_user(struct request *r)
{
    struct listing *listing = listing_new(r, &listing_connections);
    listing_rows(listing)->pick = of_user;
    listing_rows(listing)->wanted[0] = r->args[0];
    listing_gather(r, listing, NULL);
}

/* ---- One, and closing. */

struct closing {
    struct gather gather; /* first: of_users takes the gather for the whole struct */
    char *reason;         /* what the clients are told */
    size_t at;            /* the worker that closes its connections now */
    struct map users;     /* the names of deleted users, when their connections are to be closed */
    enum status status;   /* what the request is answered with when they are closed */
    char *text;           /* the reason for that status when it is not OK */
};

static void free_closing(void *work)
{
    struct closing *closing = work;
    gather_free(&closing->gather);
    map_free(&closing->users);
    free(closing->reason);
    free(closing->text);
    free(closing);
}

static void with_sessions(struct request *r,
                          bool (*pick)(const struct gather *gather, const void *info),
                          const char *reason,
                          void (*done)(struct request *r, struct gather *gather))
{
    struct closing *closing = request_work(r, sizeof *closing, free_closing);
    closing->gather.kind = &gather_sessions;
    closing->gather.pick = pick;
    closing->gather.wanted[0] = r->args[0];
    closing->reason = mem_need_text(reason, strlen(reason));
    gather_run(r, &closing->gather, NULL, done);
}

/* The reason that clients are told: the request's, or RabbitMQ's words. */
static const char *reason_given(const struct request *r)
{
    return r->reason ? r->reason : "Closed via management plugin";
}

/* The connection that was gathered. NULL: there is none, or the user may not see it, and that has
 * been answered. */
static const struct row *only_row(struct request *r, const struct gather *gather)
{
    if (gather->row_count == 0)
        respond_not_found(r);
    else if (!visible_connection(r, &gather->rows[0]))
        respond_refused(r);
    else
        return &gather->rows[0];
    return NULL;
}

static void show(struct request *r, struct gather *gather)
{
    const struct row *row = only_row(r, gather);
    if (row)
        listing_respond_one(r, &one_connection, row);
}

static void get_connection(struct request *r)
{
    with_sessions(r, is_called, "", show);
}

/* Closes the rows' connections that this worker has; it does not find the others. */
static void close_on_worker(struct sessions *sessions, void *argument)
{
    struct closing *closing = argument;
    for (size_t i = 0; i < closing->gather.row_count; i++) {
        const struct session_info *s = closing->gather.rows[i].info;
        enum status status = sessions_close(sessions, s->name, closing->reason);
        (void)status;
    }
}

static void closed_on_worker(struct request *r)
{
    struct closing *closing = r->work;
    if (++closing->at < r->admin->options.workers)
        request_ask_sessions(r, (unsigned)closing->at, close_on_worker, closing, closed_on_worker);
    else if (closing->status == STATUS_OK)
        respond_empty(r, 204);
    else
        respond_status(r, closing->status, closing->text);
}

static void close_all(struct request *r, struct gather *gather)
{
    (void)gather;
    request_ask_sessions(r, 0, close_on_worker, r->work, closed_on_worker);
}

/* Only administrators may close others' connections; a user who monitors may but see them. */
static void close_one(struct request *r, struct gather *gather)
{
    const struct row *row = only_row(r, gather);
    if (!row)
        return;
    if ((r->rights & RIGHT_ADMINISTRATOR) ||
        bytes_equal_text(((const struct session_info *)row->info)->user, r->user))
        close_all(r, gather);
    else
        respond_refused(r);
}

static void delete_connection(struct request *r)
{
    with_sessions(r, is_called, reason_given(r), close_one);
}

static void delete_of_user(struct request *r)
{
    if ((r->rights & RIGHT_ADMINISTRATOR) || bytes_equal_text(r->args[0], r->user))
        with_sessions(r, of_user, reason_given(r), close_all);
    else
        respond_refused(r);
}

static bool of_users(const struct gather *gather, const void *info)
{
    const struct closing *closing = (const void *)gather;
    return map_get(&closing->users, ((const struct session_info *)info)->user);
}

void api_connections_close_of_deleted(struct request *r, const char *const *users, size_t count,
                                      enum status status, const char *text)
{
    struct closing *closing = request_work(r, sizeof *closing, free_closing);
    closing->gather.kind = &gather_sessions;
    closing->gather.pick = of_users;
    closing->status = status;
    closing->text = text ? mem_need_text(text, strlen(text)) : NULL;
    if (count == 1) {
        char reason[320]; /* the longest name, and the words around it */
        snprintf(reason, sizeof reason, "user '%s' is deleted", users[0]);
        closing->reason = mem_need_text(reason, strlen(reason));
    } else {
        closing->reason = mem_need_text("user is deleted", strlen("user is deleted"));
    }
    for (size_t i = 0; i < count; i++)
        map_put(&closing->users, bytes_of_text(users[i]), closing);
    gather_run(r, &closing->gather, NULL, close_all);
}

/* ---- Routes. */

const struct route api_connections[] = {
    {METHOD_GET, "/api/connections", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/connections/username/:u", list_of_user, ACCESS_USER, BODY_SMALL},
    {METHOD_DELETE, "/api/connections/username/:u", delete_of_user, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/connections/:c", get_connection, ACCESS_USER, BODY_SMALL},
    {METHOD_DELETE, "/api/connections/:c", delete_connection, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/vhosts/:v/connections", list_of_vhost, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
