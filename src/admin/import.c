/* Definitions in: users, vhosts and permissions at once, then for each vhost its policies, so that
 * they apply from the first moment, its exchanges and queues, then its bindings. Operator policies
 * are in RabbitMQ's definitions among the parameters.
 *
 * Normal course: a link to one vhost after the other; on it IMPORT_CHANNELS channels with one
 * command under way each, so that many share a commit, and one that is refused fails its own
 * channel only, which is opened anew. What can go wrong: something exists already with other
 * properties: it stays as it is, as in RabbitMQ; anything else that is refused ends the import with
 * 400 and the reason, and what was made before stays. */
#include <stdlib.h>

#include "arguments.h"
#include "client.h"
#include "gather.h"
#include "handlers.h"
#include "leveret/base/mem.h"

#define IMPORT_CHANNELS 64u

enum step {
    STEP_POLICIES,
    STEP_OPERATOR_POLICIES,
    STEP_EXCHANGES,
    STEP_QUEUES,
    STEP_BINDINGS,
    STEP_END
};
static const char *const step_keys[] = {"policies", "parameters", "exchanges", "queues",
                                        "bindings"};

struct importing {
    bool one_vhost;
    char **vhosts;
    size_t vhost_count, vhost_at;
    enum step step;
    size_t at;       /* in the step's list */
    unsigned waited; /* commands under way */
    bool opened[IMPORT_CHANNELS + 1], busy[IMPORT_CHANNELS + 1];
    size_t entry[IMPORT_CHANNELS + 1]; /* which of the list a channel is busy with */
};

static void free_importing(void *work)
{
    struct importing *i = work;
    names_free(i->vhosts, i->vhost_count);
    free(i);
}

static void advance(struct request *r);

/* ---- Commands. */

static bool is_operator_policy(const struct value *parameter)
{
    return bytes_equal_text(value_bytes(value_get(parameter, "component")), "operator_policy");
}

/* Whether an entry concerns the vhost that is being worked on. */
static bool concerns(const struct importing *i, const struct value *entry)
{
    const char *vhost = value_text(value_get(entry, "vhost"));
    if (i->step == STEP_OPERATOR_POLICIES && !is_operator_policy(entry))
        return false;
    return i->one_vhost || (vhost && strcmp(vhost, i->vhosts[i->vhost_at]) == 0);
}

static bool flag(const struct value *entry, const char *key)
{
    return value_true(value_get(entry, key));
}

static struct bytes name_of(const struct value *entry, const char *key)
{
    struct bytes name = value_bytes(value_get(entry, key));
    return name.at ? name : bytes_of("", 0);
}

static void fill_command(struct command *c, enum step step, const struct value *entry,
                         struct bytes arguments)
{
    bool to_exchange = bytes_equal_text(name_of(entry, "destination_type"), "exchange");
    switch (step) {
    case STEP_EXCHANGES:
        c->type = COMMAND_EXCHANGE_DECLARE;
        c->u.exchange_declare.name = name_of(entry, "name");
        c->u.exchange_declare.type = name_of(entry, "type");
        c->u.exchange_declare.arguments = arguments;
        c->u.exchange_declare.durable = flag(entry, "durable");
        c->u.exchange_declare.auto_delete = flag(entry, "auto_delete");
        c->u.exchange_declare.internal = flag(entry, "internal");
        break;
    case STEP_QUEUES:
        c->type = COMMAND_QUEUE_DECLARE;
        c->u.queue_declare.name = name_of(entry, "name");
        c->u.queue_declare.arguments = arguments;
        c->u.queue_declare.durable = flag(entry, "durable");
        c->u.queue_declare.auto_delete = flag(entry, "auto_delete");
        break;
    default:
        c->type = to_exchange ? COMMAND_EXCHANGE_BIND : COMMAND_QUEUE_BIND;
        c->u.bind.source = name_of(entry, "source");
        c->u.bind.destination = name_of(entry, "destination");
        c->u.bind.routing_key = name_of(entry, "routing_key");
        c->u.bind.arguments = arguments;
    }
}

/* Names that cannot be, before they reach the core. */
static bool entry_sane(enum step step, const struct value *entry)
{
    static const char *const names[] = {"name", "source", "destination", "routing_key"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (name_of(entry, names[i]).len > 255)
            return false;
    return step == STEP_BINDINGS ? name_of(entry, "destination").len > 0
                                 : name_of(entry, "name").len > 0;
}

/* "…\n (//name)", as RabbitMQ. */
static void refuse_policy(struct request *r, struct bytes name, const char *why)
{
    const struct importing *i = r->work;
    reply_bad_request(r, "%s (%s/%.*s)", why, i->vhosts[i->vhost_at], BYTES_PRINT(name));
}

static void send_on(struct request *r, uint16_t channel, struct command command)
{
    struct importing *i = r->work;
    command.channel = channel;
    client_send(r, command);
    i->busy[channel] = true;
    i->waited++;
}

static void open_channel(struct request *r, uint16_t channel)
{
    struct importing *i = r->work;
    if (!i->opened[channel] && channel != CLIENT_CHANNEL)
        client_send(r, (struct command){.type = COMMAND_CHANNEL_OPEN, .channel = channel});
    i->opened[channel] = true;
}

/* False: answered. */
static bool send_policy(struct request *r, const struct value *entry, uint16_t channel)
{
    const struct importing *i = r->work;
    bool operator_policy = i->step == STEP_OPERATOR_POLICIES;
    struct command command = {
        .u.policy = {.operator_policy = operator_policy, .name = name_of(entry, "name")}};
    struct text definition, why = {0};
    bool ok = policy_from_json(operator_policy ? value_get(entry, "value") : entry, &command,
                               &definition, &why);
    if (ok) {
        open_channel(r, channel);
        send_on(r, channel, command);
    } else {
        refuse_policy(r, command.u.policy.name, (const char *)why.at);
    }
    text_free(&definition);
    text_free(&why);
    return ok;
}

/* False: answered. */
static bool send_entry(struct request *r, const struct value *entry, uint16_t channel)
{
    const struct importing *i = r->work;
    struct command command = {0};
    struct text arguments = {0};
    if (!entry_sane(i->step, entry) ||
        arguments_read(value_get(entry, "arguments"), &arguments) != STATUS_OK) {
        text_free(&arguments);
        reply_bad_request(r, "an entry of %s is malformed", step_keys[i->step]);
        return false;
    }
    if (i->step <= STEP_OPERATOR_POLICIES) {
        text_free(&arguments);
        return send_policy(r, entry, channel);
    }
    open_channel(r, channel);
    fill_command(&command, i->step, entry, text_bytes(&arguments));
    send_on(r, channel, command);
    text_free(&arguments);
    return true;
}

/* Fills free channels with what comes next. False: answered. */
static bool fill_channels(struct request *r)
{
    struct importing *i = r->work;
    const struct value *list = value_get(r->json, step_keys[i->step]);
    for (uint16_t channel = 1; channel <= IMPORT_CHANNELS && i->at < value_count(list);) {
        if (i->busy[channel]) {
            channel++;
            continue;
        }
        i->entry[channel] = i->at;
        const struct value *entry = value_at(list, i->at++);
        if (concerns(i, entry) && !send_entry(r, entry, channel))
            return false;
    }
    return true;
}

static void on_reply(struct request *r, const struct event *event)
{
    struct importing *i = r->work;
    enum status status = event->u.reply.status;
    if (event->type != EVENT_REPLY || event->u.reply.command == COMMAND_CHANNEL_OPEN)
        return;
    if (status != STATUS_OK && status != STATUS_PRECONDITION_FAILED) {
        reply_status(r, status, event->u.reply.text);
        return;
    }
    if (event->u.reply.command == COMMAND_POLICY_PUT && status != STATUS_OK) {
        const struct value *list = value_get(r->json, step_keys[i->step]);
        refuse_policy(r, name_of(value_at(list, i->entry[event->channel]), "name"),
                      event->u.reply.text);
        return;
    }
    if (event->u.reply.command == COMMAND_CHANNEL_CLOSE) {
        i->opened[event->channel] = false;
        client_send(r, (struct command){.type = COMMAND_CHANNEL_OPEN, .channel = event->channel});
        i->opened[event->channel] = true;
    }
    i->busy[event->channel] = false;
    i->waited--;
    if (status != STATUS_OK)
        send_on(r, event->channel, (struct command){.type = COMMAND_CHANNEL_CLOSE});
    advance(r);
}

/* ---- From vhost to vhost. */

static bool enter_vhost(struct request *r)
{
    struct importing *i = r->work;
    if (r->client)
        client_close(r);
    memset(i->opened, 0, sizeof i->opened);
    memset(i->busy, 0, sizeof i->busy);
    i->step = STEP_POLICIES;
    i->at = 0;
    return client_open(r, bytes_of_text(i->vhosts[i->vhost_at]), on_reply);
}

static void advance(struct request *r)
{
    struct importing *i = r->work;
    while (i->vhost_at < i->vhost_count) {
        if (i->step < STEP_END && !fill_channels(r))
            return;
        if (i->waited)
            return;
        i->step++;
        i->at = 0;
        if (i->step < STEP_END)
            continue;
        if (++i->vhost_at < i->vhost_count && !enter_vhost(r))
            return;
    }
    reply_empty(r, 204);
}

/* ---- Users, vhosts, permissions. */

static enum status import_users(struct request *r, const char **what)
{
    const struct value *users = value_get(r->json, "users");
    bool created;
    for (size_t i = 0; i < value_count(users); i++) {
        struct form form = form_of(value_at(users, i));
        *what = form_text(&form, "name", NULL);
        enum status status = *what ? user_from_json(r->admin->options.auth, *what, &form, &created)
                                   : STATUS_MALFORMED;
        if (status == STATUS_OK)
            status = limits_from_json(r->admin, LIMITED_USER, *what, &form, "limits");
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* RabbitMQ's export has the limits of vhosts among the parameters. */
static enum status import_vhost_limits(struct request *r, const char **what)
{
    const struct value *parameters = value_get(r->json, "parameters");
    enum status status = STATUS_OK;
    for (size_t i = 0; i < value_count(parameters) && status == STATUS_OK; i++) {
        const struct value *parameter = value_at(parameters, i);
        const char *component = value_text(value_get(parameter, "component"));
        if (!component || strcmp(component, "vhost-limits") != 0)
            continue;
        struct form form = form_of(parameter);
        *what = form_text(&form, "vhost", NULL);
        status = *what ? limits_from_json(r->admin, LIMITED_VHOST, *what, &form, "value")
                       : STATUS_MALFORMED;
    }
    return status;
}

static enum status import_vhosts(struct request *r, const char **what)
{
    const struct value *vhosts = value_get(r->json, "vhosts");
    bool created;
    for (size_t i = 0; i < value_count(vhosts); i++) {
        char *error = NULL;
        struct form form = form_of(value_at(vhosts, i));
        *what = form_text(&form, "name", NULL);
        enum status status =
            *what ? vhost_from_json(r->admin, *what, &form, r->user, &created, &error)
                  : STATUS_MALFORMED;
        free(error);
        if (status == STATUS_OK)
            status = limits_from_json(r->admin, LIMITED_VHOST, *what, &form, "limits");
        if (status != STATUS_OK)
            return status;
    }
    return import_vhost_limits(r, what);
}

static enum status import_permissions(struct request *r, const char **what)
{
    static const char *const keys[] = {"user", "vhost", "configure", "write", "read"};
    const struct value *permissions = value_get(r->json, "permissions");
    bool created;
    for (size_t i = 0; i < value_count(permissions); i++) {
        const char *texts[5];
        char *error = NULL;
        for (size_t j = 0; j < 5; j++) {
            texts[j] = value_text(value_get(value_at(permissions, i), keys[j]));
            if (!texts[j])
                return STATUS_MALFORMED;
        }
        *what = texts[0];
        enum status status = auth_put_permission(r->admin->options.auth, texts[0], texts[1],
                                                 texts[2], texts[3], texts[4], &created, &error);
        free(error);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* What comes with RabbitMQ's definitions and has no place here yet. */
static void warn_of_the_rest(struct request *r)
{
    const struct value *parameters = value_get(r->json, "parameters");
    if (value_count(value_get(r->json, "topic_permissions")))
        log_line(r->admin->options.log, LOG_WARNING, "http",
                 "import: topic_permissions are not supported yet and were left out");
    for (size_t i = 0; i < value_count(parameters); i++) {
        const char *component = value_text(value_get(value_at(parameters, i), "component"));
        if (!component ||
            (strcmp(component, "operator_policy") != 0 && strcmp(component, "vhost-limits") != 0))
            log_line(r->admin->options.log, LOG_WARNING, "http",
                     "import: a parameter of component '%s' was left out",
                     component ? component : "?");
    }
}

static bool lists_are_lists(const struct request *r)
{
    static const char *const keys[] = {"users",      "vhosts",    "permissions", "policies",
                                       "parameters", "exchanges", "queues",      "bindings"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        enum value_kind kind = value_kind_of(value_get(r->json, keys[i]));
        if (kind != VALUE_NONE && kind != VALUE_LIST)
            return false;
    }
    return true;
}

static void import(struct request *r, bool one_vhost)
{
    struct importing *i = request_work(r, sizeof *i, free_importing);
    const char *what = NULL;
    enum status status = STATUS_OK;
    if (!lists_are_lists(r)) {
        reply_bad_request(r, "users, vhosts, permissions, policies, parameters, exchanges, queues, "
                             "bindings are lists");
        return;
    }
    if (!one_vhost) {
        status = import_users(r, &what);
        if (status == STATUS_OK)
            status = import_vhosts(r, &what);
        if (status == STATUS_OK)
            status = import_permissions(r, &what);
    }
    if (status != STATUS_OK) {
        reply_bad_request(r, "'%s': %s", what ? what : "?", status_text(status));
        return;
    }
    warn_of_the_rest(r);
    i->one_vhost = one_vhost;
    if (one_vhost) {
        i->vhosts = mem_need(sizeof *i->vhosts);
        i->vhosts[i->vhost_count++] = mem_need_text(r->args[0].at, r->args[0].len);
    } else {
        i->vhosts = vhost_names(r->admin, &i->vhost_count);
    }
    if (i->vhost_count == 0)
        reply_empty(r, 204);
    else if (enter_vhost(r))
        advance(r);
}

void api_definitions_post(struct request *r)
{
    import(r, false);
}

void api_definitions_post_vhost(struct request *r)
{
    if (auth_vhost_exists(r->admin->options.auth, request_vhost(r)))
        import(r, true);
    else
        reply_bad_request(r, "vhost_not_found");
}
