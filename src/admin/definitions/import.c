/* The import of definitions.
 *
 * Normal course: the whole file is checked before anything is changed (import_check.c,
 * import_bindings.c), with the same checks as commands of clients. Then users, vhosts, limits and
 * permissions are stored, many with one write (import_directory.c). Then each vhost gets its
 * policies, so that they apply to queues from their first moment, its exchanges and queues, and
 * last its bindings (import_vhost.c). All of this goes in portions, between which other requests
 * are served.
 *
 * What can go wrong: the check finds a mistake: the answer is 400 with the entry and the reason,
 * and nothing has changed. An entry fails when it is carried out (what exists already is
 * different): the rest is carried out, and 400 says which entries were not. An entry or a key is
 * not known here but restricts nothing, or is not missed (the binding of a queue that went with its
 * connection): it is left out, and 200 says so. The answers are in import_answer.c. */
#include "admin/definitions/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/definitions/definitions.h"
#include "admin/http/body.h"
#include "admin/json/answer.h"
#include "admin/resource/policy_json.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

const char *const import_kinds[KIND_COUNT + 1] = {
    [KIND_USERS] = "users",
    [KIND_VHOSTS] = "vhosts",
    [KIND_PERMISSIONS] = "permissions",
    [KIND_TOPIC_PERMISSIONS] = "topic_permissions",
    [KIND_GLOBAL_PARAMETERS] = "global_parameters",
    [KIND_PARAMETERS] = "parameters",
    [KIND_POLICIES] = "policies",
    [KIND_EXCHANGES] = "exchanges",
    [KIND_QUEUES] = "queues",
    [KIND_BINDINGS] = "bindings",
};

const enum import_kind import_step_kinds[STEP_COUNT] = {
    [STEP_POLICIES] = KIND_POLICIES,   [STEP_PARAMETERS] = KIND_PARAMETERS,
    [STEP_EXCHANGES] = KIND_EXCHANGES, [STEP_QUEUES] = KIND_QUEUES,
    [STEP_BINDINGS] = KIND_BINDINGS,
};

const char *import_step_key(enum import_step step)
{
    return import_kinds[import_step_kinds[step]];
}

static void free_import(void *work)
{
    struct import *i = work;
    problems_free(&i->wrong);
    problems_free(&i->left_out);
    problems_free(&i->failed);
    import_preview_free(i);
    arena_free(&i->arena);
    map_free(&i->users);
    map_free(&i->vhosts);
    map_free(&i->places_by_name);
    map_free(&i->objects);
    for (uint32_t at = 0; at < i->place_count; at++)
        free(i->places[at]);
    free(i->places);
    free(i->asked);
    for (unsigned step = 0; step < STEP_COUNT; step++) {
        free(i->lists[step].place);
        free(i->lists[step].order);
        free(i->lists[step].starts);
    }
    free(i);
}

/* ---- An entry as a command. */

#define PREFIX "Validation failed\n\n"

static bool read_policy(struct form *form, bool operator_policy, struct command *out,
                        struct text *table, char why[FORM_WRONG_BYTES_MAX])
{
    struct text text = {0};
    out->u.policy.operator_policy = operator_policy;
    out->u.policy.name = form_name(form, "name", bytes_of("", 0));
    const struct value *policy = form->object;
    if (operator_policy)
        policy = form_map(form, "value");
    if (!form_ok(form)) {
        snprintf(why, FORM_WRONG_BYTES_MAX, "%s", form->wrong);
        return false;
    }
    bool ok = api_policy_from_json(policy, out, table, &text);
    if (!ok) {
        /* The API's text begins with a heading; here the entry's path stands before the reason. */
        const char *words = (const char *)text.at;
        words += strncmp(words, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : 0;
        snprintf(why, FORM_WRONG_BYTES_MAX, "%.*s", (int)strcspn(words, "\n"), words);
    }
    text_free(&text);
    return ok;
}

static void read_exchange(struct form *form, struct command *out)
{
    out->type = COMMAND_EXCHANGE_DECLARE;
    out->u.exchange_declare.name = form_name(form, "name", bytes_of("", 0));
    out->u.exchange_declare.type = form_name(form, "type", bytes_of("", 0));
    out->u.exchange_declare.durable = form_bool(form, "durable", false);
    out->u.exchange_declare.auto_delete = form_bool(form, "auto_delete", false);
    out->u.exchange_declare.internal = form_bool(form, "internal", false);
}

#define SERVER_NAME_PREFIX "amq.gen-"

static void read_queue(struct form *form, struct command *out)
{
    struct bytes name = form_name(form, "name", bytes_of("", 0));
    out->type = COMMAND_QUEUE_DECLARE;
    out->u.queue_declare.name = name;
    out->u.queue_declare.durable = form_bool(form, "durable", false);
    out->u.queue_declare.auto_delete = form_bool(form, "auto_delete", false);
    out->u.queue_declare.server_named = bytes_start_with(name, SERVER_NAME_PREFIX);
}

static void read_binding(struct form *form, struct command *out)
{
    const char *type = form_text(form, "destination_type", "queue");
    bool to_exchange = strcmp(type, "exchange") == 0;
    if (!to_exchange && strcmp(type, "queue") != 0)
        form_refuse(form, "destination_type", "must be queue or exchange");
    out->type = to_exchange ? COMMAND_EXCHANGE_BIND : COMMAND_QUEUE_BIND;
    out->u.bind.source = form_name(form, "source", bytes_of("", 0));
    out->u.bind.destination = form_name(form, "destination", bytes_of("", 0));
    out->u.bind.routing_key = form_name(form, "routing_key", bytes_of("", 0));
}

bool import_command(enum import_step step, const struct value *entry, struct command *out,
                    struct text *table, char why[FORM_WRONG_BYTES_MAX])
{
    static const char *const named[] = {"name", NULL}, *const typed[] = {"name", "type", NULL},
                             *const bound[] = {"source", "destination", NULL};
    struct form form = form_of(entry);
    *out = (struct command){0};
    *table = (struct text){0};
    form_need(&form, step == STEP_BINDINGS ? bound : step == STEP_EXCHANGES ? typed : named);
    if (step <= STEP_PARAMETERS)
        return read_policy(&form, step == STEP_PARAMETERS, out, table, why);
    if (step == STEP_EXCHANGES)
        read_exchange(&form, out);
    else if (step == STEP_QUEUES)
        read_queue(&form, out);
    else
        read_binding(&form, out);
    form_table(&form, "arguments", table);
    struct bytes arguments = text_bytes(table);
    if (step == STEP_EXCHANGES)
        out->u.exchange_declare.arguments = arguments;
    else if (step == STEP_QUEUES)
        out->u.queue_declare.arguments = arguments;
    else
        out->u.bind.arguments = arguments;
    snprintf(why, FORM_WRONG_BYTES_MAX, "%s", form.wrong);
    return form_ok(&form);
}

bool import_passes_over(enum import_step step, const struct command *command)
{
    struct bytes name = command->u.exchange_declare.name;
    if (step == STEP_EXCHANGES)
        return name.len == 0 || bytes_start_with(name, "amq.");
    if (step == STEP_QUEUES)
        return bytes_start_with(command->u.queue_declare.name, "amq.") &&
               !command->u.queue_declare.server_named;
    return step == STEP_BINDINGS && command->u.bind.source.len == 0;
}

/* ---- The beginning. */

/* The algorithm of password hashes whose entry does not say it; NULL: today's. RabbitMQ before 3.6
 * hashed with MD5, and its definitions did not say so. */
static const char *hashing_of(struct form *form)
{
    const char *version = form_text(form, "rabbit_version", "");
    if (!*version)
        version = form_text(form, "rabbitmq_version", "");
    char *end;
    unsigned long major = strtoul(version, &end, 10);
    if (end == version || *end != '.')
        return NULL;
    unsigned long minor = strtoul(end + 1, NULL, 10);
    return major < 3 || (major == 3 && minor < 6) ? "rabbit_password_hashing_md5" : NULL;
}

static void import(struct request *r, struct bytes only)
{
    struct import *i = request_work(r, sizeof *i, free_import);
    struct form form = form_of(r->json);
    i->only = only;
    i->strict = request_query_true(r, "strict");
    i->preview.on = request_query_true(r, "dry_run");
    i->hashing = hashing_of(&form);
    for (unsigned step = 0; step < STEP_COUNT; step++) {
        i->lists[step].list = form_list(&form, import_step_key(step));
        size_t count = value_count(i->lists[step].list);
        i->lists[step].count = (uint32_t)count;
        i->lists[step].place = mem_need_array(NULL, count + 1, sizeof(uint32_t));
    }
    if (form_ok(&form))
        import_check(r);
    else
        respond_bad_request(r, "%s", form.wrong);
}

void import_all(struct request *r)
{
    import(r, bytes_of(NULL, 0));
}

static void import_vhost(struct request *r)
{
    if (auth_vhost_exists(r->admin->options.auth, request_vhost(r)))
        import(r, request_vhost(r));
    else
        respond_not_found(r);
}

/* ---- Routes. */

const struct route import_routes[] = {
    {METHOD_POST, "/api/definitions", import_all, ACCESS_ADMINISTRATOR, BODY_DEFINITIONS},
    {METHOD_POST, "/api/all-configuration", import_all, ACCESS_ADMINISTRATOR, BODY_DEFINITIONS},
    {METHOD_POST, "/api/definitions/:v", import_vhost, ACCESS_ADMINISTRATOR, BODY_DEFINITIONS},
    ROUTES_END,
};
