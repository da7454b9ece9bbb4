/* Part of the api: topic permissions: with which routing keys a user may publish to a topic
 * exchange, and with which it may bind.
 *
 * Normal course: a change is checked and stored by the directory; the exchange that it names must
 * be there, which the vhost's owner is asked. What can go wrong: user, vhost or exchange are not
 * there, or an expression is none: 400, as in RabbitMQ. */
#include "admin/resource/topic_permissions.h"

#include <stdlib.h>

#include "admin/http/body.h"
#include "admin/listing/listing.h"

void api_topic_permission_write(struct answer *a, const struct topic_permission *p)
{
    answer_text(a, "user", p->user);
    answer_text(a, "vhost", p->vhost);
    answer_text(a, "exchange", p->exchange);
    answer_text(a, "write", p->write);
    answer_text(a, "read", p->read);
}

static void render(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_topic_permission_write(a, row->info);
}

static void order(const struct row *row, struct listing_order *order)
{
    const struct topic_permission *p = row->info;
    order->keys[0] = bytes_of_text(p->vhost);
    order->keys[1] = bytes_of_text(p->user);
    order->keys[2] = bytes_of_text(p->exchange);
}

static struct bytes name(const struct row *row)
{
    return bytes_of_text(((const struct topic_permission *)row->info)->user);
}

static const struct listing_kind listing_topic_permissions = {
    .render = render, .order = order, .name = name};

struct collecting {
    struct listing *listing;
    const char *vhost, *user, *exchange; /* whose entries are listed; NULL: those of all */
};

static void collect_one(void *context, const struct topic_permission *p)
{
    struct collecting *c = context;
    struct arena *arena = listing_arena(c->listing);
    if ((c->vhost && strcmp(c->vhost, p->vhost) != 0) ||
        (c->user && strcmp(c->user, p->user) != 0) ||
        (c->exchange && strcmp(c->exchange, p->exchange) != 0))
        return;
    const struct topic_permission copy = {
        .user = arena_keep_text(arena, p->user),
        .vhost = arena_keep_text(arena, p->vhost),
        .exchange = arena_keep_text(arena, p->exchange),
        .write = arena_keep_text(arena, p->write),
        .read = arena_keep_text(arena, p->read),
    };
    listing_add(c->listing, bytes_of("", 0), listing_keep(c->listing, &copy, sizeof copy));
}

static struct listing *collect(struct request *r, const char *vhost, const char *user,
                               const char *exchange)
{
    struct collecting c = {listing_new(r, &listing_topic_permissions), vhost, user, exchange};
    auth_each_topic_permission(r->admin->options.auth, collect_one, &c);
    return c.listing;
}

static const char *argument(const struct request *r, unsigned number)
{
    return (const char *)r->args[number].at;
}

static void list_all(struct request *r)
{
    listing_write(r, collect(r, NULL, NULL, NULL));
}

static void list_of_vhost(struct request *r)
{
    if (auth_vhost_exists(r->admin->options.auth, r->args[0]))
        listing_write(r, collect(r, argument(r, 0), NULL, NULL));
    else
        respond_not_found(r);
}

static void list_of_user(struct request *r)
{
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    if (auth_user_tags(r->admin->options.auth, r->args[0], tags, sizeof tags))
        listing_write(r, collect(r, NULL, argument(r, 0), NULL));
    else
        respond_not_found(r);
}

/* A list, as in RabbitMQ; 404 when it would be empty. */
static void list_or_nothing(struct request *r, const char *exchange)
{
    struct listing *listing = collect(r, argument(r, 0), argument(r, 1), exchange);
    if (listing_rows(listing)->row_count)
        listing_write(r, listing);
    else
        respond_not_found(r);
}

static void get_of_user(struct request *r)
{
    list_or_nothing(r, NULL);
}

static void get_of_exchange(struct request *r)
{
    list_or_nothing(r, (const char *)request_exchange(r, 2).at);
}

/* ---- Changing. */

struct looking {
    struct bytes name;
    bool found;
};

static void look(struct vhost *vhost, void *argument)
{
    struct looking *looking = argument;
    struct exchange_info info;
    looking->found = vhost_find_exchange(vhost, looking->name, &info);
}

static void put_found(struct request *r)
{
    const struct looking *looking = r->work;
    struct form form = body_form(r);
    const struct topic_permission permission = {
        .user = argument(r, 1),
        .vhost = argument(r, 0),
        .exchange = form_text(&form, "exchange", ""),
        .write = form_text(&form, "write", ""),
        .read = form_text(&form, "read", ""),
    };
    bool created = false;
    char *error = NULL;
    if (!looking->found) {
        respond_bad_request(r, "no_such_exchange: '%.255s'", permission.exchange);
        return;
    }
    enum status status =
        auth_put_topic_permission(r->admin->options.auth, &permission, &created, &error);
    if (status == STATUS_OK)
        respond_created(r, created);
    else if (status == STATUS_NOT_FOUND)
        respond_bad_request(r, "vhost_or_user_not_found");
    else if (status == STATUS_LIMIT)
        respond_bad_request(r, "a user may have topic permissions for at most %u exchanges",
                            TOPIC_PERMISSIONS_MAX);
    else
        respond_status(r, status, error);
    free(error);
}

static void put(struct request *r)
{
    static const char *const keys[] = {"exchange", "write", "read", NULL};
    struct auth *auth = r->admin->options.auth;
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    struct form form = body_form(r);
    form_need(&form, keys);
    const char *exchange = form_text(&form, "exchange", "");
    (void)form_text(&form, "write", "");
    (void)form_text(&form, "read", "");
    if (!body_ok(r, &form))
        return;
    if (!auth_vhost_exists(auth, r->args[0]) ||
        !auth_user_tags(auth, r->args[1], tags, sizeof tags)) {
        respond_bad_request(r, "vhost_or_user_not_found");
        return;
    }
    struct looking *looking = request_work(r, sizeof *looking, free);
    looking->name = bytes_of_text(exchange);
    request_ask(r, r->args[0], look, looking, put_found);
}

static void delete_of_user(struct request *r)
{
    respond_deleted(r, auth_delete_topic_permission(r->admin->options.auth, argument(r, 1),
                                                    argument(r, 0), NULL));
}

static void delete_of_exchange(struct request *r)
{
    respond_deleted(r, auth_delete_topic_permission(r->admin->options.auth, argument(r, 1),
                                                    argument(r, 0),
                                                    (const char *)request_exchange(r, 2).at));
}

/* ---- Routes. */

const struct route api_topic_permissions[] = {
    {METHOD_GET, "/api/vhosts/:v/topic-permissions", list_of_vhost, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_GET, "/api/users/:u/topic-permissions", list_of_user, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/topic-permissions", list_all, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/topic-permissions/:v/:u", get_of_user, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_PUT, "/api/topic-permissions/:v/:u", put, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/topic-permissions/:v/:u", delete_of_user, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_GET, "/api/topic-permissions/:v/:u/:x", get_of_exchange, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_DELETE, "/api/topic-permissions/:v/:u/:x", delete_of_exchange, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    ROUTES_END,
};
