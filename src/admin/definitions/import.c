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
 * different): the rest is carried out, and 400 says which entries were not. An entry cannot be
 * carried out, but is not missed (the binding of a queue that went with its connection): it is
 * passed over, and 200 says so. */
#include "admin/definitions/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/definitions/definitions.h"
#include "admin/http/body.h"
#include "admin/json/answer.h"
#include "admin/resource/policy_json.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"

const char *const import_keys[STEP_COUNT] = {"policies", "parameters", "exchanges", "queues",
                                             "bindings"};

static void free_import(void *work)
{
    struct import *i = work;
    text_free(&i->wrong.text);
    text_free(&i->passed.text);
    text_free(&i->failed.text);
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

/* ---- Problems. */

/* Bytes of a name that a problem tells; the rest is cut off. */
#define SHOWN_BYTES_MAX 80

static int shown(struct bytes name)
{
    return (int)(name.len < SHOWN_BYTES_MAX ? name.len : SHOWN_BYTES_MAX);
}

void import_problem(struct problems *problems, const char *list, uint32_t index, struct bytes name,
                    struct bytes vhost, const char *why)
{
    struct text *out = &problems->text;
    if (problems->count++ >= PROBLEMS_TOLD)
        return;
    text_printf(out, "%s%s[%u]", out->len ? "; " : "", list, index);
    if (name.at)
        text_printf(out, " '%.*s'", shown(name), (const char *)name.at);
    if (vhost.at)
        text_printf(out, " in vhost '%.*s'", shown(vhost), (const char *)vhost.at);
    text_printf(out, ": %.400s", why);
}

/* Ends the list of problems with "; and 5 more", if there are more, and returns it zero-ended. */
static const char *problems_end(struct problems *problems)
{
    if (problems->count > PROBLEMS_TOLD)
        text_printf(&problems->text, "; and %zu more", problems->count - PROBLEMS_TOLD);
    text_add(&problems->text, "", 1);
    return (const char *)problems->text.at;
}

void import_refuse(struct request *r)
{
    struct import *i = r->work;
    const char *why = problems_end(&i->wrong);
    log_line(r->admin->options.log, LOG_WARNING, "http",
             "definitions refused, nothing has changed: %s", why);
    respond_error(r, 400, "bad_request", why);
}

void import_end(struct request *r)
{
    struct import *i = r->work;
    struct answer a = {0};
    if (i->failed.count) {
        struct text text = {0};
        text_printf(&text, "%u of %u entries were carried out; not: %s%c", i->done, i->all,
                    problems_end(&i->failed), '\0');
        log_line(r->admin->options.log, LOG_WARNING, "http", "definitions: %s",
                 (const char *)text.at);
        if (r->heard) /* at its start the broker goes on with what was carried out */
            respond_empty(r, 200);
        else
            respond_error(r, 400, "bad_request", (const char *)text.at);
        text_free(&text);
        return;
    }
    log_line(r->admin->options.log, LOG_INFO, "http", "definitions imported by '%s': %u entries",
             *r->user ? r->user : "load_definitions", i->done);
    if (i->passed.count == 0) {
        respond_empty(r, 204);
        return;
    }
    const char *passed = problems_end(&i->passed);
    log_line(r->admin->options.log, LOG_WARNING, "http", "definitions passed over: %s", passed);
    answer_object(&a, NULL);
    answer_text(&a, "passed_over", passed);
    answer_end(&a);
    respond_json(r, 200, &a);
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
    i->hashing = hashing_of(&form);
    for (unsigned step = 0; step < STEP_COUNT; step++) {
        i->lists[step].list = form_list(&form, import_keys[step]);
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
        respond_bad_request(r, "vhost_not_found");
}

/* ---- Routes. */

const struct route import_routes[] = {
    {METHOD_POST, "/api/definitions", import_all, ACCESS_ADMINISTRATOR, BODY_DEFINITIONS},
    {METHOD_POST, "/api/definitions/:v", import_vhost, ACCESS_ADMINISTRATOR, BODY_DEFINITIONS},
    ROUTES_END,
};
