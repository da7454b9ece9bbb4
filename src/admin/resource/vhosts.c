/* Part of the api: vhosts: listed with their sums and rates, made, changed and deleted.
 *
 * A new vhost is opened by the node first, and then written to the directory (auth). Of a deleted
 * vhost the data go first, and then its name in the directory: after a crash in between there is an
 * empty vhost of that name, which can be deleted again, and no data are left to the next vhost of
 * that name. */
#include "admin/resource/vhosts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/listing/listing.h"
#include "admin/listing/stats.h"
#include "admin/metrics/totals.h"
#include "admin/resource/details.h"
#include "admin/resource/vhost_facts.h"

struct vhost_row {
    const char *name, *description, *tags, *default_queue_type;
    const char *down; /* why it is down; NULL: it runs */
    bool tracing, protected_from_deletion;
    bool counted; /* false: the vhost was not there when sums were counted; none are told */
    struct vhost_totals totals;
    uint64_t values[VHOST_NUMBERS];
};

static void write_numbers(struct request *r, struct answer *a, const struct vhost_row *v)
{
    const unsigned wanted = 1u << RANGE_LENGTHS | 1u << RANGE_RATES | 1u << RANGE_DATA;
    struct told told;
    totals_tell(r, bytes_of_text(v->name), &v->totals, v->values, a->capture ? 0 : wanted, 0,
                &told);
    stats_write_lengths(a, v->values, &told);
    stats_write_detail(a, "recv_oct", v->values[NUMBER_RECEIVED], &told, NUMBER_RECEIVED,
                       RANGE_DATA);
    stats_write_detail(a, "send_oct", v->values[NUMBER_SENT], &told, NUMBER_SENT, RANGE_DATA);
    stats_write(a, v->values, &told, STATS_ALL);
    told_free(&told);
}

static void render_vhost(struct request *r, struct answer *a, const struct row *row)
{
    const struct vhost_row *v = row->info;
    answer_text(a, "name", v->name);
    answer_text(a, "description", v->description);
    api_tags_write(a, "tags", v->tags);
    answer_text(a, "default_queue_type", v->default_queue_type);
    answer_bool(a, "protected_from_deletion", v->protected_from_deletion);
    if (answer_object(a, "metadata")) {
        answer_text(a, "description", v->description);
        api_tags_write(a, "tags", v->tags);
        answer_text(a, "default_queue_type", v->default_queue_type);
        answer_bool(a, "protected_from_deletion", v->protected_from_deletion);
        answer_end(a);
    }
    answer_bool(a, "tracing", v->tracing);
    if (answer_object(a, "cluster_state")) {
        answer_text(a, r->admin->options.node_name, v->down ? "down" : "running");
        answer_end(a);
    }
    answer_text(a, "state", v->down ? "down" : "running");
    if (v->down)
        answer_text(a, "reason", v->down);
    if (!v->counted)
        return;
    write_numbers(r, a, v);
}

static void order_vhost(const struct row *row, struct listing_order *order)
{
    order->keys[0] = bytes_of_text(((const struct vhost_row *)row->info)->name);
}

static struct bytes name_vhost(const struct row *row)
{
    return bytes_of_text(((const struct vhost_row *)row->info)->name);
}

static bool visible_vhost(const struct request *r, const struct row *row)
{
    return access_knows_vhost(r, name_vhost(row));
}

static const struct listing_kind listing_vhosts = {
    .render = render_vhost,
    .order = order_vhost,
    .name = name_vhost,
    .visible = visible_vhost,
    .small = "name,description,tags,metadata,default_queue_type,tracing,cluster_state,"
             "protected_from_deletion"};

/* ---- Reading. */

struct collecting {
    struct request *request;
    struct listing *listing;
    const struct totals *totals;
    const char *only;
};

static void count_row(struct request *r, struct vhost_row *row, const struct totals *totals)
{
    uint64_t received, sent;
    for (size_t i = 0; i < totals->vhost_count; i++) {
        if (strcmp(totals->vhosts[i].name, row->name) != 0)
            continue;
        row->counted = true;
        row->totals = totals->vhosts[i].totals;
    }
    node_vhost_traffic(r->admin->options.node, bytes_of_text(row->name), &received, &sent);
    totals_values(&row->totals, received, sent, row->values);
}

const char *api_vhost_queue_type(struct admin *admin, const struct vhost_entry *entry)
{
    return queue_type_name(node_queue_type(admin->options.node, entry->default_queue_type));
}

static void collect_vhost(void *context, const struct vhost_entry *entry)
{
    struct collecting *c = context;
    struct arena *arena = listing_arena(c->listing);
    if (c->only && strcmp(c->only, entry->name) != 0)
        return;
    struct vhost_row row = {
        .name = arena_keep_text(arena, entry->name),
        .description = arena_keep_text(arena, entry->description),
        .tags = arena_keep_text(arena, entry->tags),
        .default_queue_type = api_vhost_queue_type(c->request->admin, entry),
        .tracing = entry->tracing,
        .protected_from_deletion = entry->protected_from_deletion,
    };
    char *down = node_vhost_down(c->request->admin->options.node, bytes_of_text(entry->name));
    row.down = down ? arena_keep_text(arena, down) : NULL;
    free(down);
    count_row(c->request, &row, c->totals);
    listing_add(c->listing, bytes_of("", 0), listing_keep(c->listing, &row, sizeof row));
}

static struct listing *collect(struct request *r, const struct totals *totals, const char *only)
{
    struct collecting c = {r, listing_new(r, &listing_vhosts), totals, only};
    auth_each_vhost(r->admin->options.auth, collect_vhost, &c);
    return c.listing;
}

static void counted_list(struct request *r, const struct totals *totals)
{
    listing_write(r, collect(r, totals, NULL));
}

static void list_all(struct request *r)
{
    totals_for(r, counted_list);
}

static void counted_one(struct request *r, const struct totals *totals)
{
    struct gather *rows = listing_rows(collect(r, totals, (const char *)r->args[0].at));
    if (rows->row_count)
        listing_respond_one(r, &listing_vhosts, &rows->rows[0]);
    else
        respond_not_found(r);
}

static void get_vhost(struct request *r)
{
    totals_for(r, counted_one);
}

/* ---- Changing. */

/* Makes a vhost. It is stored together with its maker's permission, so that there is no vhost that
 * nobody may use: with one write, or with the batch that is open. */
static enum status make_vhost(struct admin *admin, const struct vhost_entry *entry,
                              const char *user, char **error)
{
    const char *name = entry->name;
    bool created;
    struct auth *auth = admin->options.auth;
    int64_t max;
    if (auth_vhosts_full(auth, &max)) {
        if (asprintf(error, "cannot create vhost '%s': vhost limit of %" PRId64 " is reached", name,
                     max) < 0)
            *error = NULL;
        return STATUS_MALFORMED;
    }
    enum status status = node_add_vhost(admin->options.node, bytes_of_text(name), error);
    if (status != STATUS_OK)
        return status;
    bool own_batch = !auth_in_batch(auth);
    if (own_batch)
        auth_begin(auth);
    status = auth_put_vhost(auth, entry, &created);
    /* The user who makes a vhost may use it, as in RabbitMQ. */
    if (status == STATUS_OK && *user)
        status = auth_put_permission(auth, user, name, ".*", ".*", ".*", &created, error);
    if (status == STATUS_OK)
        status = auth_apply_defaults(auth, name);
    if (own_batch && status == STATUS_OK)
        status = auth_commit(auth);
    else if (own_batch)
        auth_cancel(auth);
    if (status != STATUS_OK &&
        node_delete_vhost(admin->options.node, bytes_of_text(name), NULL, NULL) != STATUS_OK)
        log_line(admin->options.log, LOG_ERROR, "http", "vhost '%s' is half made: delete it", name);
    return status;
}

void api_vhost_check(struct form *form)
{
    struct vhost_facts facts;
    api_vhost_facts_read(form, NULL, QUEUE_CLASSIC, &facts);
    api_vhost_facts_free(&facts);
}

enum status api_vhost_from_json(struct admin *admin, const char *name, struct form *vhost,
                                const char *user, bool *created, char **error)
{
    struct auth *auth = admin->options.auth;
    struct vhost_facts facts;
    struct vhost_entry before;
    enum status status = STATUS_MALFORMED;
    bool existed = auth_find_vhost(auth, bytes_of_text(name), &before);
    api_vhost_facts_read(vhost, existed ? &before : NULL,
                         node_default_queue_type(admin->options.node), &facts);
    facts.entry.name = name;
    *created = false;
    if (form_ok(vhost) && !existed)
        status = make_vhost(admin, &facts.entry, user, error);
    else if (form_ok(vhost))
        status = auth_put_vhost(auth, &facts.entry, created);
    *created = status == STATUS_OK && !existed;
    api_vhost_facts_free(&facts);
    if (status == STATUS_OK)
        node_tune_vhost(admin->options.node, auth, bytes_of_text(name));
    return status;
}

static void put_vhost(struct request *r)
{
    const char *name = (const char *)r->args[0].at;
    char *error = NULL;
    bool created;
    struct form form = body_form(r);
    if (r->args[0].len > AUTH_NAME_MAX) {
        respond_bad_request(r, "name too long");
        return;
    }
    /* By the control socket nobody has logged in, who could be given permissions. */
    const char *maker = r->by_control ? "" : r->user;
    enum status status = api_vhost_from_json(r->admin, name, &form, maker, &created, &error);
    if (status == STATUS_OK) {
        log_line(r->admin->options.log, LOG_INFO, "http", "vhost '%s' %s by '%s'", name,
                 created ? "created" : "changed", r->user);
        respond_created(r, created);
    } else if (body_ok(r, &form)) {
        respond_status(r, status, error);
    }
    free(error);
}

/* The vhost's data are gone: now its name goes too. */
static void deleted(void *context)
{
    struct request *r = context;
    struct admin *admin = r->admin;
    char *error = NULL;
    enum status status = auth_delete_vhost(admin->options.auth, (const char *)r->args[0].at);
    if (status == STATUS_NOT_FOUND)
        status = STATUS_OK; /* another request has deleted it meanwhile */
    if (status == STATUS_OK)
        log_line(admin->options.log, LOG_INFO, "http", "vhost '%s' deleted by '%s'",
                 (const char *)r->args[0].at, r->user);
    else if (node_add_vhost(admin->options.node, r->args[0], &error) != STATUS_OK)
        log_line(admin->options.log, LOG_ERROR, "http", "vhost '%s' cannot be opened: %.1000s",
                 (const char *)r->args[0].at, error ? error : "");
    free(error);
    if (admin->closed)
        request_free(r);
    else if (status == STATUS_OK)
        respond_empty(r, 204);
    else
        respond_status(r, status, NULL);
}

static void delete_vhost(struct request *r)
{
    if (!api_vhost_may_be_deleted(r))
        return;
    /* The node does not have it when another request deletes it, or when it could not be opened. */
    if (node_delete_vhost(r->admin->options.node, r->args[0], deleted, r) != STATUS_OK)
        deleted(r);
}

/* ---- Routes. */

const struct route api_vhosts[] = {
    {METHOD_GET, "/api/vhosts", list_all, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/vhosts/:v", get_vhost, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_PUT, "/api/vhosts/:v", put_vhost, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/vhosts/:v", delete_vhost, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
