/* Part of the api: users. They are kept in the directory (auth), which the main thread may read and
 * change directly. */
#include "admin/resource/users.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/body.h"
#include "admin/listing/listing.h"
#include "admin/resource/connections.h"
#include "admin/resource/details.h"
#include "admin/resource/limits.h"
#include "leveret/base/base64.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

static void render_user(struct request *r, struct answer *a, const struct row *row)
{
    const struct user_info *user = row->info;
    answer_text(a, "name", user->name);
    answer_text(a, "password_hash", user->password_hash);
    answer_text(a, "hashing_algorithm", user->hashing);
    api_tags_write(a, "tags", user->tags);
    api_limits_write(a, "limits", r->admin->options.auth, LIMITED_USER, user->name);
}

static void order_user(const struct row *row, struct listing_order *order)
{
    order->keys[0] = bytes_of_text(((const struct user_info *)row->info)->name);
}

static struct bytes name_user(const struct row *row)
{
    return bytes_of_text(((const struct user_info *)row->info)->name);
}

static const struct listing_kind listing_users = {
    .render = render_user, .order = order_user, .name = name_user};

struct collecting {
    struct listing *listing;
    const char *only; /* whose name is listed; NULL: all users are */
};

static void collect_user(void *context, const struct user_info *info)
{
    struct collecting *c = context;
    struct arena *arena = listing_arena(c->listing);
    if (c->only && strcmp(c->only, info->name) != 0)
        return;
    struct user_info copy = {
        .name = arena_keep_text(arena, info->name),
        .tags = arena_keep_text(arena, info->tags),
        .password_hash = arena_keep_text(arena, info->password_hash ? info->password_hash : ""),
        .hashing = arena_keep_text(arena, info->hashing ? info->hashing : ""),
    };
    /* What the arena keeps may stand at any address; a struct needs a place that is aligned. */
    listing_add(c->listing, bytes_of("", 0), listing_keep(c->listing, &copy, sizeof copy));
}

static struct listing *collect(struct request *r, const char *only)
{
    struct collecting c = {listing_new(r, &listing_users), only};
    auth_each_user(r->admin->options.auth, collect_user, &c);
    return c.listing;
}

static void list_all(struct request *r)
{
    listing_write(r, collect(r, NULL));
}

static void note_user(void *context, const struct permission_info *info)
{
    struct map *permitted = context;
    map_put(permitted, bytes_of_text(info->user), permitted);
}

static void list_without_permissions(struct request *r)
{
    struct map permitted = {0};
    struct listing *listing = collect(r, NULL);
    struct gather *rows = listing_rows(listing);
    size_t kept = 0;
    auth_each_permission(r->admin->options.auth, note_user, &permitted);
    for (size_t i = 0; i < rows->row_count; i++)
        if (!map_get(&permitted, name_user(&rows->rows[i])))
            rows->rows[kept++] = rows->rows[i];
    rows->row_count = kept;
    map_free(&permitted);
    listing_write(r, listing);
}

static void get_user(struct request *r)
{
    struct listing *listing = collect(r, (const char *)r->args[0].at);
    struct gather *rows = listing_rows(listing);
    if (rows->row_count)
        listing_respond_one(r, &listing_users, &rows->rows[0]);
    else
        respond_not_found(r);
}

struct own_permissions {
    struct answer *answer;
    const char *user;
};

static void write_own(void *context, const struct permission_info *info)
{
    const struct own_permissions *own = context;
    if (strcmp(info->user, own->user) != 0)
        return;
    answer_object(own->answer, NULL);
    answer_text(own->answer, "vhost", info->vhost);
    answer_text(own->answer, "configure", info->configure);
    answer_text(own->answer, "write", info->write);
    answer_text(own->answer, "read", info->read);
    answer_end(own->answer);
}

/* The user who asks, with what that user may do: the page offers nothing else. */
static void get_own_user(struct request *r)
{
    struct answer a = {0};
    char tags[AUTH_TAGS_BYTES_MAX + 1] = "administrator";
    if (!r->by_control)
        auth_user_tags(r->admin->options.auth, bytes_of_text(r->user), tags, sizeof tags);
    answer_object(&a, NULL);
    answer_text(&a, "name", r->user);
    api_tags_write(&a, "tags", tags);
    answer_bool(&a, "is_internal_user", true);
    answer_array(&a, "permissions");
    auth_each_permission(r->admin->options.auth, write_own, &(struct own_permissions){&a, r->user});
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* ---- Changing. */

static bool is_base64(const char *text)
{
    size_t len;
    uint8_t *decoded = base64_decode(bytes_of_text(text), &len);
    free(decoded);
    return decoded != NULL;
}

/* What the JSON says of a user. */
struct user_facts {
    const char *password, *hash, *hashing;
    struct text tags; /* zero-ended; whoever reads the facts frees it */
};

static void read_user(struct form *form, const char *hashing, struct user_facts *out)
{
    *out = (struct user_facts){0};
    out->password = form_text(form, "password", NULL);
    out->hash = form_text(form, "password_hash", NULL);
    out->hashing = form_text(form, "hashing_algorithm", hashing);
    api_tags_read(form, "tags", &out->tags);
    if (out->tags.len > AUTH_TAGS_BYTES_MAX)
        form_refuse(form, "tags", "longer than %u bytes", AUTH_TAGS_BYTES_MAX);
    text_add(&out->tags, "", 1);
    if (out->hash && !*out->hash)
        out->hash = NULL; /* exports say so that a user has no password */
    if (out->password)
        out->hash = out->hashing = NULL;
    if (out->hash && !is_base64(out->hash))
        form_refuse(form, "password_hash", "not_base64");
    else if (out->hash && form_ok(form) && auth_check_hash(out->hash, out->hashing) != STATUS_OK)
        form_refuse(form, "password_hash", "is no salted hash of %.80s",
                    out->hashing ? out->hashing : "rabbit_password_hashing_sha256");
}

void api_user_check(struct form *form, const char *hashing)
{
    struct user_facts facts;
    read_user(form, hashing, &facts);
    text_free(&facts.tags);
}

/* A hash tells nothing about the password, so rules are for passwords only. */
static void check_password(const struct auth *auth, struct form *form, const char *password)
{
    char *why;
    if (!auth_password_allowed(auth, password, &why))
        form_refuse(form, "password", "%s", why ? why : "not allowed");
    free(why);
}

enum status api_user_from_json(struct auth *auth, const char *name, struct form *user,
                               const char *hashing, bool *created)
{
    struct user_facts facts;
    enum status status = STATUS_MALFORMED;
    read_user(user, hashing, &facts);
    if (form_ok(user) && !facts.hash)
        check_password(auth, user, facts.password);
    if (form_ok(user))
        status = auth_put_user(auth, name, facts.password, facts.hash, facts.hashing,
                               (const char *)facts.tags.at, created);
    text_free(&facts.tags);
    return status;
}

static void put_user(struct request *r)
{
    struct form form = body_form(r);
    bool created = false;
    if (r->args[0].len > AUTH_NAME_MAX) {
        respond_bad_request(r, "name too long");
        return;
    }
    if (!form_has(&form, "tags")) {
        respond_bad_request(r, "tags_not_present");
        return;
    }
    enum status status = api_user_from_json(r->admin->options.auth, (const char *)r->args[0].at,
                                            &form, NULL, &created);
    if (status == STATUS_OK) {
        log_line(r->admin->options.log, LOG_INFO, "http", "user '%s' %s by '%s'",
                 (const char *)r->args[0].at, created ? "created" : "changed", r->user);
        respond_created(r, created);
    } else if (body_ok(r, &form)) {
        respond_status(r, status, NULL);
    }
}

static void delete_user(struct request *r)
{
    const char *name = (const char *)r->args[0].at;
    enum status status = auth_delete_user(r->admin->options.auth, name);
    if (status == STATUS_OK) {
        log_line(r->admin->options.log, LOG_INFO, "http", "user '%s' deleted by '%s'", name,
                 r->user);
        api_connections_close_of_deleted(r, &name, 1, STATUS_OK, NULL);
    } else if (status == STATUS_NOT_FOUND) {
        respond_not_found(r);
    } else {
        respond_status(r, status, NULL);
    }
}

/* ---- Deleting many. */

/* Users that are deleted with one write to the disk, in one turn of the loop; the next ones follow
 * in the next turn. */
#define BULK_PORTION 256u

struct bulk {
    const char **names; /* views into the request's JSON */
    size_t count, at;   /* how many names there are, and how many of the users are deleted */
};

static void free_bulk(void *work)
{
    struct bulk *bulk = work;
    free(bulk->names);
    free(bulk);
}

static void end_bulk(struct request *r, enum status status)
{
    struct bulk *bulk = r->work;
    char text[128];
    const char **names = bulk->names; /* they are needed after closing has replaced the work */
    size_t deleted = bulk->at;
    bulk->names = NULL;
    snprintf(text, sizeof text, "%zu of %zu users deleted: %s", deleted, bulk->count,
             status_text(status));
    log_line(r->admin->options.log, LOG_INFO, "http", "%zu users deleted by '%s'", deleted,
             r->user);
    api_connections_close_of_deleted(r, names, deleted, status, text);
    free(names);
}

static void delete_portion(struct request *r)
{
    struct bulk *bulk = r->work;
    size_t left = bulk->count - bulk->at, portion = left < BULK_PORTION ? left : BULK_PORTION;
    enum status status = auth_delete_users(r->admin->options.auth, bulk->names + bulk->at, portion);
    if (status == STATUS_OK)
        bulk->at += portion;
    if (status != STATUS_OK || bulk->at == bulk->count)
        end_bulk(r, status);
    else
        request_later(r, delete_portion);
}

static void delete_many(struct request *r)
{
    static const char *const keys[] = {"users", NULL};
    struct form form = body_form(r);
    form_need(&form, keys);
    const struct value *users = form_list(&form, "users");
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    if (!body_ok(r, &form))
        return;
    struct bulk *bulk = request_work(r, sizeof *bulk, free_bulk);
    bulk->names = mem_need_array(NULL, value_count(users) + 1, sizeof *bulk->names);
    for (; bulk->count < value_count(users); bulk->count++) {
        const char *name = value_text(value_at(users, bulk->count));
        if (!name ||
            !auth_user_tags(r->admin->options.auth, bytes_of_text(name), tags, sizeof tags)) {
            respond_bad_pair(r, "no_such_user", bytes_of_text(name ? name : ""));
            return;
        }
        bulk->names[bulk->count] = name;
    }
    delete_portion(r);
}

/* ---- Routes. */

const struct route api_users[] = {
    {METHOD_GET, "/api/whoami", get_own_user, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/users", list_all, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/users/without-permissions", list_without_permissions, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_POST, "/api/users/bulk-delete", delete_many, ACCESS_ADMINISTRATOR, BODY_NAMES},
    {METHOD_GET, "/api/users/:u", get_user, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_PUT, "/api/users/:u", put_user, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/users/:u", delete_user, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
