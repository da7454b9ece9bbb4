/* Part of the api: permissions: what a user may do on a vhost. */
#include "admin/resource/permissions.h"

#include <stdlib.h>

#include "admin/http/body.h"
#include "admin/listing/listing.h"

void api_permission_write(struct answer *a, const struct permission_info *p)
{
    answer_text(a, "user", p->user);
    answer_text(a, "vhost", p->vhost);
    answer_text(a, "configure", p->configure);
    answer_text(a, "write", p->write);
    answer_text(a, "read", p->read);
}

static void render_permission(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_permission_write(a, row->info);
}

static void order_permission(const struct row *row, struct listing_order *order)
{
    const struct permission_info *p = row->info;
    order->keys[0] = bytes_of_text(p->vhost);
    order->keys[1] = bytes_of_text(p->user);
}

static struct bytes name_permission(const struct row *row)
{
    return bytes_of_text(((const struct permission_info *)row->info)->user);
}

static const struct listing_kind listing_permissions = {
    .render = render_permission, .order = order_permission, .name = name_permission};

struct collecting {
    struct listing *listing;
    const char *vhost, *user; /* whose permissions are listed; NULL: those of all */
};

static void collect_permission(void *context, const struct permission_info *info)
{
    struct collecting *c = context;
    struct arena *arena = listing_arena(c->listing);
    if ((c->vhost && strcmp(c->vhost, info->vhost) != 0) ||
        (c->user && strcmp(c->user, info->user) != 0))
        return;
    const struct permission_info copy = {
        .user = arena_keep_text(arena, info->user),
        .vhost = arena_keep_text(arena, info->vhost),
        .configure = arena_keep_text(arena, info->configure),
        .write = arena_keep_text(arena, info->write),
        .read = arena_keep_text(arena, info->read),
    };
    listing_add(c->listing, bytes_of("", 0), listing_keep(c->listing, &copy, sizeof copy));
}

static struct listing *collect(struct request *r, const char *vhost, const char *user)
{
    struct collecting c = {listing_new(r, &listing_permissions), vhost, user};
    auth_each_permission(r->admin->options.auth, collect_permission, &c);
    return c.listing;
}

static void list_all(struct request *r)
{
    listing_write(r, collect(r, NULL, NULL));
}

static void list_of_vhost(struct request *r)
{
    if (auth_vhost_exists(r->admin->options.auth, r->args[0]))
        listing_write(r, collect(r, (const char *)r->args[0].at, NULL));
    else
        respond_not_found(r);
}

static void list_of_user(struct request *r)
{
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    if (auth_user_tags(r->admin->options.auth, r->args[0], tags, sizeof tags))
        listing_write(r, collect(r, NULL, (const char *)r->args[0].at));
    else
        respond_not_found(r);
}

static void get_permission(struct request *r)
{
    struct gather *rows =
        listing_rows(collect(r, (const char *)r->args[0].at, (const char *)r->args[1].at));
    if (rows->row_count)
        listing_respond_one(r, &listing_permissions, &rows->rows[0]);
    else
        respond_not_found(r);
}

static void put_permission(struct request *r)
{
    static const char *const keys[] = {"configure", "write", "read", NULL};
    bool created = false;
    char *error = NULL;
    const char *patterns[3];
    struct form form = body_form(r);
    form_need(&form, keys);
    for (size_t i = 0; i < 3; i++)
        patterns[i] = form_text(&form, keys[i], "");
    if (!body_ok(r, &form))
        return;
    enum status status = auth_put_permission(r->admin->options.auth, (const char *)r->args[1].at,
                                             (const char *)r->args[0].at, patterns[0], patterns[1],
                                             patterns[2], &created, &error);
    if (status == STATUS_OK)
        respond_created(r, created);
    else if (status == STATUS_NOT_FOUND)
        respond_bad_request(r, "vhost_or_user_not_found");
    else
        respond_status(r, status, error);
    free(error);
}

static void delete_permission(struct request *r)
{
    respond_deleted(r, auth_delete_permission(r->admin->options.auth, (const char *)r->args[1].at,
                                              (const char *)r->args[0].at));
}

/* ---- Routes. */

const struct route api_permissions[] = {
    {METHOD_GET, "/api/vhosts/:v/permissions", list_of_vhost, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/users/:u/permissions", list_of_user, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/permissions", list_all, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/permissions/:v/:u", get_permission, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_PUT, "/api/permissions/:v/:u", put_permission, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/permissions/:v/:u", delete_permission, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
