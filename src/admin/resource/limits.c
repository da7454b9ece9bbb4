/* Part of the api: limits of vhosts and users: listed, set and cleared. They are kept in the
 * directory (auth), which the main thread may read and change directly. */
#include "admin/resource/limits.h"

#include <inttypes.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/listing/listing.h"
#include "leveret/auth/limits.h"

struct limits_row {
    const char *holder;
    int64_t max[LIMITS_EACH];
};

void api_limits_write_values(struct answer *a, const char *key, enum limited limited,
                             const int64_t max[LIMITS_EACH])
{
    if (!answer_object(a, key))
        return;
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        if (max[i] >= 0)
            answer_uint(a, limit_name(limited, i), (uint64_t)max[i]);
    answer_end(a);
}

void api_limits_write(struct answer *a, const char *key, struct auth *auth, enum limited limited,
                      const char *holder)
{
    int64_t max[LIMITS_EACH];
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        max[i] = auth_limit(auth, limited, bytes_of_text(holder), i);
    api_limits_write_values(a, key, limited, max);
}

static void render_vhost(struct request *r, struct answer *a, const struct row *row)
{
    const struct limits_row *limits = row->info;
    (void)r;
    answer_text(a, "vhost", limits->holder);
    api_limits_write_values(a, "value", LIMITED_VHOST, limits->max);
}

static void render_user(struct request *r, struct answer *a, const struct row *row)
{
    const struct limits_row *limits = row->info;
    (void)r;
    answer_text(a, "user", limits->holder);
    api_limits_write_values(a, "value", LIMITED_USER, limits->max);
}

static struct bytes name_holder(const struct row *row)
{
    return bytes_of_text(((const struct limits_row *)row->info)->holder);
}

static void order_holder(const struct row *row, struct listing_order *order)
{
    order->keys[0] = name_holder(row);
}

static bool visible_vhost(const struct request *r, const struct row *row)
{
    return access_knows_vhost(r, name_holder(row));
}

/* A user who does not monitor sees his own limits only. */
static bool visible_user(const struct request *r, const struct row *row)
{
    return (r->rights & RIGHT_MONITORING) || bytes_equal_text(name_holder(row), r->user);
}

static const struct listing_kind kinds[] = {
    [LIMITED_VHOST] = {.render = render_vhost,
                       .order = order_holder,
                       .name = name_holder,
                       .visible = visible_vhost},
    [LIMITED_USER] = {.render = render_user,
                      .order = order_holder,
                      .name = name_holder,
                      .visible = visible_user},
};

struct collecting {
    struct listing *listing;
    const char *only; /* whose limits are listed; NULL: those of all */
};

static void collect(void *context, const char *holder, const int64_t max[LIMITS_EACH])
{
    struct collecting *c = context;
    if (c->only && strcmp(c->only, holder) != 0)
        return;
    const char *name = arena_keep_text(listing_arena(c->listing), holder);
    const struct limits_row row = {name, {max[0], max[1]}};
    listing_add(c->listing, bytes_of("", 0), listing_keep(c->listing, &row, sizeof row));
}

static void list(struct request *r, enum limited limited, const char *only)
{
    struct collecting c = {listing_new(r, &kinds[limited]), only};
    auth_each_limited(r->admin->options.auth, limited, collect, &c);
    listing_write(r, c.listing);
}

static void list_vhost_limits(struct request *r)
{
    list(r, LIMITED_VHOST, NULL);
}

static void list_limits_of_vhost(struct request *r)
{
    list(r, LIMITED_VHOST, (const char *)r->args[0].at);
}

static void list_user_limits(struct request *r)
{
    list(r, LIMITED_USER, NULL);
}

static void list_limits_of_user(struct request *r)
{
    list(r, LIMITED_USER, (const char *)r->args[0].at);
}

/* ---- Changing. */

struct importing {
    struct auth *auth;
    enum limited limited;
    const char *holder; /* whose limits are set; NULL: they are only checked */
    struct form *form;
    const char *key;    /* the form's field that holds the limits */
    enum status status; /* of the first limit that is wrong; OK: none is */
};

static void import_limit(void *context, const char *name, const struct value *value)
{
    struct importing *i = context;
    if (i->status)
        return;
    if (value_kind_of(value) != VALUE_INT || !auth_limit_known(i->limited, name)) {
        i->status = STATUS_MALFORMED;
        form_refuse(i->form, i->key, "'%.80s' is no limit, or its value is no integer", name);
    } else if (i->holder) {
        i->status = auth_put_limit(i->auth, i->limited, i->holder, name, value_int(value));
    }
}

void api_limits_check(enum limited limited, struct form *form, const char *key)
{
    struct importing importing = {.limited = limited, .form = form, .key = key};
    const struct value *limits = form_map(form, key);
    if (limits)
        value_each(limits, import_limit, &importing);
}

enum status api_limits_from_json(struct admin *admin, enum limited limited, const char *holder,
                                 struct form *form, const char *key)
{
    struct importing importing = {admin->options.auth, limited, holder, form, key, STATUS_OK};
    const struct value *limits = form_map(form, key);
    if (!form_ok(form))
        return STATUS_MALFORMED;
    if (limits)
        value_each(limits, import_limit, &importing);
    if (limited == LIMITED_VHOST)
        node_tune_vhost(admin->options.node, admin->options.auth, bytes_of_text(holder));
    return importing.status;
}

static void change(struct request *r, enum limited limited, int64_t max)
{
    struct admin *admin = r->admin;
    const char *holder = (const char *)r->args[0].at, *name = (const char *)r->args[1].at;
    enum status status = auth_put_limit(admin->options.auth, limited, holder, name, max);
    if (status == STATUS_NOT_FOUND) {
        respond_not_found(r);
        return;
    }
    if (status == STATUS_MALFORMED) {
        respond_bad_request(r, "Unrecognised limit name: %s", name);
        return;
    }
    if (status != STATUS_OK) {
        respond_status(r, status, NULL);
        return;
    }
    log_line(admin->options.log, LOG_INFO, "http",
             "limit '%s' of %s '%s' set to %" PRId64 " by '%s'", name,
             limited == LIMITED_USER ? "user" : "vhost", holder, max, r->user);
    if (limited == LIMITED_VHOST)
        node_tune_vhost(admin->options.node, admin->options.auth, r->args[0]);
    respond_empty(r, 204);
}

static void put(struct request *r, enum limited limited)
{
    static const char *const keys[] = {"value", NULL};
    struct form form = body_form(r);
    form_need(&form, keys);
    int64_t max = form_int(&form, "value", LIMIT_NONE, INT64_MIN, INT64_MAX);
    if (body_ok(r, &form))
        change(r, limited, max);
}

static void put_vhost_limit(struct request *r)
{
    put(r, LIMITED_VHOST);
}

static void delete_vhost_limit(struct request *r)
{
    change(r, LIMITED_VHOST, LIMIT_NONE);
}

static void put_user_limit(struct request *r)
{
    put(r, LIMITED_USER);
}

static void delete_user_limit(struct request *r)
{
    change(r, LIMITED_USER, LIMIT_NONE);
}

/* ---- Routes. */

const struct route api_limits[] = {
    {METHOD_GET, "/api/vhost-limits", list_vhost_limits, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/vhost-limits/:v", list_limits_of_vhost, ACCESS_KNOWN, BODY_SMALL},
    {METHOD_PUT, "/api/vhost-limits/:v/:n", put_vhost_limit, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/vhost-limits/:v/:n", delete_vhost_limit, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_GET, "/api/user-limits", list_user_limits, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/user-limits/:u", list_limits_of_user, ACCESS_USER, BODY_SMALL},
    {METHOD_PUT, "/api/user-limits/:u/:n", put_user_limit, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/user-limits/:u/:n", delete_user_limit, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
