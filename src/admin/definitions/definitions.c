/* The export of definitions, in the form of RabbitMQ's: users, vhosts, permissions, parameters,
 * policies, queues, exchanges and bindings. Messages are not in it. */
#include "admin/definitions/definitions.h"

#include "admin/definitions/exporting.h"

#include <stdlib.h>

#include "admin/json/arguments.h"
#include "admin/listing/gather.h"
#include "admin/listing/listed_queue.h"
#include "admin/resource/details.h"
#include "admin/resource/global_parameters.h"
#include "admin/resource/limits.h"
#include "admin/resource/permissions.h"
#include "admin/resource/policy_json.h"
#include "admin/resource/topic_permissions.h"
#include "admin/resource/vhosts.h"
#include "leveret/base/container.h"
#include "leveret/base/identity.h"
#include "leveret/base/map.h"

/* ---- Users, vhosts, permissions. */

struct directory_writing {
    struct answer *answer;
    struct admin *admin;
    struct auth *auth;
};

static void write_user(void *context, const struct user_info *user)
{
    const struct directory_writing *writing = context;
    struct answer *a = writing->answer;
    answer_object(a, NULL);
    answer_text(a, "name", user->name);
    answer_text(a, "password_hash", user->password_hash ? user->password_hash : "");
    answer_text(a, "hashing_algorithm", user->hashing ? user->hashing : "");
    api_tags_write(a, "tags", user->tags);
    api_limits_write(a, "limits", writing->auth, LIMITED_USER, user->name);
    answer_end(a);
}

static void write_metadata(struct answer *a, struct admin *admin, const struct vhost_entry *vhost)
{
    answer_object(a, "metadata");
    answer_text(a, "description", vhost->description);
    api_tags_write(a, "tags", vhost->tags);
    answer_text(a, "default_queue_type", api_vhost_queue_type(admin, vhost));
    answer_bool(a, "protected_from_deletion", vhost->protected_from_deletion);
    answer_end(a);
}

static void write_vhost(void *context, const struct vhost_entry *vhost)
{
    const struct directory_writing *writing = context;
    struct answer *a = writing->answer;
    answer_object(a, NULL);
    answer_text(a, "name", vhost->name);
    /* RabbitMQ 3.10 reads them here; later ones read the metadata. */
    answer_text(a, "description", vhost->description);
    api_tags_write(a, "tags", vhost->tags);
    api_limits_write(a, "limits", writing->auth, LIMITED_VHOST, vhost->name);
    write_metadata(a, writing->admin, vhost);
    answer_end(a);
}

static void write_permission(void *context, const struct permission_info *p)
{
    struct answer *a = context;
    answer_object(a, NULL);
    api_permission_write(a, p);
    answer_end(a);
}

static void write_topic_permission(void *context, const struct topic_permission *p)
{
    struct answer *a = context;
    answer_object(a, NULL);
    api_topic_permission_write(a, p);
    answer_end(a);
}

static void write_directory(struct answer *a, struct admin *admin)
{
    struct auth *auth = admin->options.auth;
    struct directory_writing writing = {a, admin, auth};
    answer_array(a, "users");
    auth_each_user(auth, write_user, &writing);
    answer_end(a);
    answer_array(a, "vhosts");
    auth_each_vhost(auth, write_vhost, &writing);
    answer_end(a);
    answer_array(a, "permissions");
    auth_each_permission(auth, write_permission, a);
    answer_end(a);
    answer_array(a, "topic_permissions");
    auth_each_topic_permission(auth, write_topic_permission, a);
    answer_end(a);
    api_global_parameters_write(a, auth);
}

/* ---- Queues, exchanges, bindings. */

static void write_queues(struct answer *a, const struct exporting *e)
{
    answer_array(a, "queues");
    for (size_t i = 0; i < e->parts[PART_QUEUES].row_count; i++) {
        const struct queue_info *q = e->parts[PART_QUEUES].rows[i].info;
        if (q->exclusive)
            continue;
        answer_object(a, NULL);
        answer_bytes(a, "name", q->name);
        if (!e->one_vhost)
            answer_bytes(a, "vhost", e->parts[PART_QUEUES].rows[i].vhost);
        answer_bool(a, "durable", q->durable);
        answer_bool(a, "auto_delete", q->auto_delete);
        answer_bytes(a, "type", listed_queue_type(q));
        arguments_write(a, "arguments", q->arguments);
        answer_end(a);
    }
    answer_end(a);
}

static void write_exchanges(struct answer *a, const struct exporting *e)
{
    answer_array(a, "exchanges");
    for (size_t i = 0; i < e->parts[PART_EXCHANGES].row_count; i++) {
        const struct exchange_info *x = e->parts[PART_EXCHANGES].rows[i].info;
        if (x->name.len == 0 || bytes_start_with(x->name, "amq."))
            continue;
        answer_object(a, NULL);
        answer_bytes(a, "name", x->name);
        if (!e->one_vhost)
            answer_bytes(a, "vhost", e->parts[PART_EXCHANGES].rows[i].vhost);
        answer_bytes(a, "type", x->type);
        answer_bool(a, "durable", x->durable);
        answer_bool(a, "auto_delete", x->auto_delete);
        answer_bool(a, "internal", x->internal);
        arguments_write(a, "arguments", x->arguments);
        answer_end(a);
    }
    answer_end(a);
}

static void exclusive_key(struct text *key, struct bytes vhost, struct bytes queue)
{
    key->len = 0;
    text_add_bytes(key, vhost);
    text_add(key, "", 1);
    text_add_bytes(key, queue);
}

/* Collects the exclusive queues. They go with their connections, and so do their bindings: neither
 * is exported. */
static void find_exclusive(const struct exporting *e, struct map *out, struct arena *arena)
{
    const struct gather *queues = &e->parts[PART_QUEUES];
    struct text key = {0};
    for (size_t i = 0; i < queues->row_count; i++) {
        const struct queue_info *q = queues->rows[i].info;
        if (!q->exclusive)
            continue;
        exclusive_key(&key, queues->rows[i].vhost, q->name);
        map_put(out, arena_keep(arena, text_bytes(&key)), out);
    }
    text_free(&key);
}

static void write_bindings(struct answer *a, const struct exporting *e)
{
    struct map exclusive = {0};
    struct arena arena = {0};
    struct text key = {0};
    find_exclusive(e, &exclusive, &arena);
    answer_array(a, "bindings");
    for (size_t i = 0; i < e->parts[PART_BINDINGS].row_count; i++) {
        const struct binding_info *b = e->parts[PART_BINDINGS].rows[i].info;
        exclusive_key(&key, e->parts[PART_BINDINGS].rows[i].vhost, b->destination);
        if (b->source.len == 0 ||
            (!b->to_exchange && exclusive.count && map_get(&exclusive, text_bytes(&key))))
            continue;
        answer_object(a, NULL);
        answer_bytes(a, "source", b->source);
        if (!e->one_vhost)
            answer_bytes(a, "vhost", e->parts[PART_BINDINGS].rows[i].vhost);
        answer_bytes(a, "destination", b->destination);
        answer_text(a, "destination_type", b->to_exchange ? "exchange" : "queue");
        answer_bytes(a, "routing_key", b->routing_key);
        arguments_write(a, "arguments", b->arguments);
        answer_end(a);
    }
    answer_end(a);
    map_free(&exclusive);
    arena_free(&arena);
    text_free(&key);
}

static void write_policies(struct answer *a, const struct gather *gather)
{
    answer_array(a, "policies");
    for (size_t i = 0; i < gather->row_count; i++) {
        answer_object(a, NULL);
        api_policy_write(a, gather->rows[i].vhost, gather->rows[i].info);
        answer_end(a);
    }
    answer_end(a);
}

struct writing_limits {
    struct answer *answer;
    struct auth *auth;
    struct bytes only; /* the vhost whose limits are written; at is NULL: those of all are */
};

static void write_vhost_limits(void *context, const char *holder, const int64_t max[LIMITS_EACH])
{
    const struct writing_limits *writing = context;
    struct answer *a = writing->answer;
    if (writing->only.at && !bytes_equal_text(writing->only, holder))
        return;
    answer_object(a, NULL);
    api_limits_write_values(a, "value", LIMITED_VHOST, max);
    answer_text(a, "vhost", holder);
    answer_text(a, "component", "vhost-limits");
    answer_text(a, "name", "limits");
    answer_end(a);
}

/* Writes operator policies and the limits of vhosts; RabbitMQ reads both among the parameters only.
 */
static void write_parameters(struct answer *a, const struct exporting *e, struct auth *auth)
{
    const struct gather *gather = &e->parts[PART_OPERATOR_POLICIES];
    struct writing_limits writing = {a, auth, e->one_vhost ? e->vhost : bytes_of(NULL, 0)};
    answer_array(a, "parameters");
    for (size_t i = 0; i < gather->row_count; i++) {
        answer_object(a, NULL);
        api_policy_write_parameter(a, gather->rows[i].vhost, gather->rows[i].info, true);
        answer_end(a);
    }
    auth_each_limited(auth, LIMITED_VHOST, write_vhost_limits, &writing);
    answer_end(a);
}

static void write_explanation(struct answer *a, const char *what, struct bytes name)
{
    struct text text = {0};
    text_printf(&text, "Definitions of %s '%.*s'%c", what, BYTES_PRINT(name), '\0');
    answer_text(a, "explanation", (const char *)text.at);
    text_free(&text);
}

/* Writes what the definitions are of, in the words of RabbitMQ's tools. An import ignores it. */
static void write_head(struct answer *a, const struct admin *admin, const struct exporting *e)
{
    const char *cluster = admin_cluster_name(admin);
    write_explanation(a, e->one_vhost ? "virtual host" : "cluster",
                      e->one_vhost ? e->vhost : bytes_of_text(cluster));
    answer_text(a, "rabbitmq_definition_format", e->one_vhost ? "single_virtual_host" : "cluster");
    if (e->one_vhost)
        answer_bytes(a, "original_vhost_name", e->vhost);
    else
        answer_text(a, "original_cluster_name", cluster);
}

/* Writes what is known of the vhost that the definitions are of. */
static void write_one_vhost(struct answer *a, struct admin *admin, struct bytes name)
{
    struct vhost_entry vhost;
    if (!auth_find_vhost(admin->options.auth, name, &vhost))
        return;
    answer_text(a, "description", vhost.description);
    write_metadata(a, admin, &vhost);
    api_limits_write(a, "limits", admin->options.auth, LIMITED_VHOST, vhost.name);
}

void exporting_write(struct request *r, const struct exporting *e, struct answer *a)
{
    answer_object(a, NULL);
    write_head(a, r->admin, e);
    answer_text(a, "rabbit_version", DIALECT_VERSION);
    answer_text(a, "rabbitmq_version", DIALECT_VERSION);
    answer_text(a, "product_name", PRODUCT_NAME);
    answer_text(a, "product_version", r->admin->options.leveret_version);
    if (e->one_vhost)
        write_one_vhost(a, r->admin, e->vhost);
    else
        write_directory(a, r->admin);
    write_parameters(a, e, r->admin->options.auth);
    write_policies(a, &e->parts[PART_POLICIES]);
    write_queues(a, e);
    write_exchanges(a, e);
    write_bindings(a, e);
    answer_end(a);
}

/* ---- Gathering. */

static const struct gather_kind *const part_kinds[PART_COUNT] = {
    [PART_POLICIES] = &gather_policies, [PART_OPERATOR_POLICIES] = &gather_operator_policies,
    [PART_QUEUES] = &gather_queues,     [PART_EXCHANGES] = &gather_exchanges,
    [PART_BINDINGS] = &gather_bindings,
};

static void gather_part(struct request *r, struct exporting *e, size_t part);

static void gathered(struct request *r, struct gather *gather)
{
    size_t part = 0;
    while (part_kinds[part] != gather->kind)
        part++;
    gather_part(r, container_of(gather - part, struct exporting, parts), part + 1);
}

static void gather_part(struct request *r, struct exporting *e, size_t part)
{
    if (part == PART_COUNT) {
        e->done(r, e);
        return;
    }
    e->parts[part].kind = part_kinds[part];
    gather_run(r, &e->parts[part], e->one_vhost ? &e->vhost : NULL, gathered);
}

void exporting_gather(struct request *r, struct exporting *e)
{
    gather_part(r, e, 0);
}

void exporting_end(struct exporting *e)
{
    for (size_t part = 0; part < PART_COUNT; part++)
        gather_free(&e->parts[part]);
}

/* ---- Requests. */

static void free_exporting(void *work)
{
    exporting_end(work);
    free(work);
}

static void answer_export(struct request *r, struct exporting *e)
{
    struct answer a = {0};
    exporting_write(r, e, &a);
    char *download = request_query(r, "download");
    if (download && *download)
        respond_download(r, &a, download);
    else
        respond_json(r, 200, &a);
    free(download);
}

static void export(struct request *r, bool one_vhost)
{
    struct exporting *e = request_work(r, sizeof *e, free_exporting);
    e->one_vhost = one_vhost;
    e->done = answer_export;
    if (one_vhost)
        e->vhost = request_vhost(r);
    exporting_gather(r, e);
}

static void export_all(struct request *r)
{
    export(r, false);
}

static void export_vhost(struct request *r)
{
    if (auth_vhost_exists(r->admin->options.auth, request_vhost(r)))
        export(r, true);
    else /* as RabbitMQ: 400 here, and 404 when definitions are sent */
        respond_bad_request(r, "vhost_not_found");
}

/* ---- Routes. */

const struct route definitions_routes[] = {
    {METHOD_GET, "/api/definitions", export_all, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/all-configuration", export_all, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/definitions/:v", export_vhost, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
