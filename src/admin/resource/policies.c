/* Policies and operator policies, and the same as runtime parameters, which is how RabbitMQ keeps
 * them: of the components operator_policy and policy, the second of which the list of all
 * parameters leaves out. Reading goes by gather, changing over a link, as with queues. */
#include <stdlib.h>

#include "admin/json/arguments.h"
#include "admin/resource/client.h"
#include "admin/resource/handlers.h"

#define COMPONENT          "policy"
#define OPERATOR_COMPONENT "operator_policy"

static const char *const targets[] = {
    [POLICY_ALL] = "all",
    [POLICY_QUEUES] = "queues",
    [POLICY_CLASSIC_QUEUES] = "classic_queues",
    [POLICY_QUORUM_QUEUES] = "quorum_queues",
    [POLICY_STREAMS] = "streams",
    [POLICY_EXCHANGES] = "exchanges",
};
#define TARGET_COUNT (sizeof targets / sizeof *targets)

/* ---- JSON to a command. */

/* Says what is wrong, as RabbitMQ does; false. */
static bool wrong(struct text *why, const char *what, struct bytes value, const char *after)
{
    text_printf(why, "Validation failed\n\n%s%.*s%s\n%c", what, BYTES_PRINT(value), after, '\0');
    return false;
}

/* As Erlang prints it. */
static void describe(const struct value *value, struct text *out)
{
    switch (value_kind_of(value)) {
    case VALUE_NONE:
        text_printf(out, "undefined");
        break;
    case VALUE_NULL:
        text_printf(out, "null");
        break;
    case VALUE_BOOL:
        text_printf(out, "%s", value_true(value) ? "true" : "false");
        break;
    case VALUE_INT:
    case VALUE_REAL:
        text_printf(out, "%g", value_real(value));
        break;
    case VALUE_TEXT:
        text_printf(out, "<<\"%.*s\">>", BYTES_PRINT(value_bytes(value)));
        break;
    default:
        text_printf(out, "something else");
    }
}

static bool read_target(const struct value *value, enum policy_target *out, struct text *why)
{
    struct bytes name = value_bytes(value);
    *out = POLICY_ALL;
    if (value_kind_of(value) == VALUE_NONE)
        return true;
    for (size_t i = 0; i < TARGET_COUNT; i++)
        if (bytes_equal_text(name, targets[i])) {
            *out = (enum policy_target)i;
            return true;
        }
    if (value_kind_of(value) != VALUE_TEXT)
        return wrong(why, "apply-to should be a string", bytes_of("", 0), "");
    return wrong(why, "apply-to '", name,
                 "' unrecognised; should be one of: 'queues', 'classic_queues', "
                 "'quorum_queues', 'streams', 'exchanges', or 'all'");
}

static bool read_priority(const struct value *value, int64_t *out, struct text *why)
{
    struct text shown = {0};
    *out = 0;
    switch (value_kind_of(value)) {
    case VALUE_NONE:
        return true;
    case VALUE_INT:
        *out = value_int(value);
        return true;
    case VALUE_REAL:
        if (value_real(value) > -1e18 && value_real(value) < 1e18) {
            *out = (int64_t)value_real(value);
            return true;
        }
        break;
    default:
        break;
    }
    describe(value, &shown);
    wrong(why, "priority should be a number, actually was ", text_bytes(&shown), "");
    text_free(&shown);
    return false;
}

bool api_policy_from_json(const struct value *policy, struct command *out, struct text *definition,
                          struct text *why)
{
    const struct value *pattern = value_get(policy, "pattern");
    struct text shown = {0};
    *definition = (struct text){0};
    out->type = COMMAND_POLICY_PUT;
    if (!read_priority(value_get(policy, "priority"), &out->u.policy.priority, why) ||
        !read_target(value_get(policy, "apply-to"), &out->u.policy.target, why))
        return false;
    if (value_kind_of(pattern) != VALUE_TEXT) {
        describe(pattern, &shown);
        wrong(why, "pattern should be a binary but was ", text_bytes(&shown), "");
        text_free(&shown);
        return false;
    }
    if (arguments_read(value_get(policy, "definition"), definition) != STATUS_OK) {
        text_free(definition);
        return wrong(why, "definition should be an object, not nested deeply", bytes_of("", 0), "");
    }
    out->u.policy.pattern = value_bytes(pattern);
    out->u.policy.definition = text_bytes(definition);
    return true;
}

/* ---- Writing. */

void api_policy_write(struct answer *a, struct bytes vhost, const struct policy_info *p)
{
    answer_bytes(a, "vhost", vhost);
    answer_bytes(a, "name", p->name);
    answer_bytes(a, "pattern", p->pattern);
    answer_text(a, "apply-to", targets[p->target]);
    arguments_write(a, "definition", p->definition);
    answer_keyed_int(a, BYTES_LITERAL("priority"), p->priority);
}

void api_policy_write_parameter(struct answer *a, struct bytes vhost, const struct policy_info *p,
                                bool operator_policy)
{
    if (answer_object(a, "value")) {
        answer_bytes(a, "pattern", p->pattern);
        arguments_write(a, "definition", p->definition);
        answer_keyed_int(a, BYTES_LITERAL("priority"), p->priority);
        answer_text(a, "apply-to", targets[p->target]);
        answer_end(a);
    }
    answer_bytes(a, "vhost", vhost);
    answer_text(a, "component", operator_policy ? OPERATOR_COMPONENT : COMPONENT);
    answer_bytes(a, "name", p->name);
}

static void render_policy(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_policy_write(a, row->vhost, row->info);
}

static void render_parameter(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_policy_write_parameter(a, row->vhost, row->info, false);
}

static void render_operator_parameter(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_policy_write_parameter(a, row->vhost, row->info, true);
}

static void order_policy(const struct row *row, struct listing_order *order)
{
    order->keys[0] = row->vhost;
    order->keys[1] = ((const struct policy_info *)row->info)->name;
}

static struct bytes name_policy(const struct row *row)
{
    return ((const struct policy_info *)row->info)->name;
}

/* [operator policies] */
static const struct listing_kind listing_policies[] = {
    {&gather_policies, render_policy, order_policy, name_policy, NULL},
    {&gather_operator_policies, render_policy, order_policy, name_policy, NULL},
};
static const struct listing_kind listing_parameters[] = {
    {&gather_policies, render_parameter, order_policy, name_policy, NULL},
    {&gather_operator_policies, render_operator_parameter, order_policy, name_policy, NULL},
};

static void list(struct request *r, const struct listing_kind *kind, const struct bytes *vhost)
{
    listing_gather(r, listing_new(r, kind), vhost);
}

void api_policies_list(struct request *r)
{
    list(r, &listing_policies[false], NULL);
}

void api_policies_list_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &listing_policies[false], &vhost);
}

void api_operator_policies_list(struct request *r)
{
    list(r, &listing_policies[true], NULL);
}

void api_operator_policies_list_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &listing_policies[true], &vhost);
}

/* ---- One. */

struct one_policy {
    struct bytes vhost, name; /* the request's */
    bool operator_policy, found;
    const struct listing_kind *kind;
    struct arena arena;
    struct policy_info info;
};

static void free_one_policy(void *work)
{
    struct one_policy *one = work;
    arena_free(&one->arena);
    free(one);
}

static void find_policy(struct vhost *vhost, void *argument)
{
    struct one_policy *one = argument;
    one->found = vhost_find_policy(vhost, one->operator_policy, one->name, &one->info);
    if (one->found)
        gather_policies.keep(&one->info, &one->arena);
}

/* Looks the policy up in the vhost and by the name that are in the path from argument first on. */
static struct one_policy *with_policy(struct request *r, unsigned first, bool operator_policy,
                                      const struct listing_kind *kinds,
                                      void (*found)(struct request *r))
{
    struct one_policy *one = request_work(r, sizeof *one, free_one_policy);
    one->vhost = r->args[first];
    one->name = r->args[first + 1];
    one->operator_policy = operator_policy;
    one->kind = &kinds[operator_policy];
    request_ask(r, one->vhost, find_policy, one, found);
    return one;
}

static void policy_found(struct request *r)
{
    const struct one_policy *one = r->work;
    const struct row row = {one->vhost, &one->info};
    if (one->found)
        listing_respond_one(r, one->kind, &row);
    else
        respond_not_found(r);
}

static void policy_changed(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_created(r, false);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void policy_created(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_OK)
        respond_created(r, true);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void put_found(struct request *r)
{
    const struct one_policy *one = r->work;
    bool existed = one->found;
    struct bytes vhost = one->vhost;
    struct command command = {
        .u.policy = {.operator_policy = one->operator_policy, .name = one->name}};
    struct text definition, why = {0};
    if (api_policy_from_json(r->json, &command, &definition, &why))
        client_command(r, vhost, &command, existed ? policy_changed : policy_created);
    else
        respond_bad_request(r, "%s", (const char *)why.at);
    text_free(&definition);
    text_free(&why);
}

static void delete_found(struct request *r)
{
    const struct one_policy *one = r->work;
    struct command command = {
        .type = COMMAND_POLICY_DELETE,
        .u.policy = {.operator_policy = one->operator_policy, .name = one->name}};
    if (one->found)
        client_command(r, one->vhost, &command, policy_changed);
    else
        respond_not_found(r);
}

static void put_policy(struct request *r, bool operator_policy)
{
    static const char *const keys[] = {"pattern", "definition", NULL};
    struct form form = body_form(r);
    form_need(&form, keys);
    if (!auth_vhost_exists(r->admin->options.auth, request_vhost(r)))
        respond_error(r, 404, "not_found", "vhost_not_found");
    else if (r->args[1].len > 255)
        respond_bad_request(r, "name too long");
    else if (body_ok(r, &form))
        with_policy(r, 0, operator_policy, listing_policies, put_found);
}

void api_policy_get(struct request *r)
{
    with_policy(r, 0, false, listing_policies, policy_found);
}

void api_policy_put(struct request *r)
{
    put_policy(r, false);
}

void api_policy_delete(struct request *r)
{
    with_policy(r, 0, false, listing_policies, delete_found);
}

void api_operator_policy_get(struct request *r)
{
    with_policy(r, 0, true, listing_policies, policy_found);
}

void api_operator_policy_put(struct request *r)
{
    put_policy(r, true);
}

void api_operator_policy_delete(struct request *r)
{
    with_policy(r, 0, true, listing_policies, delete_found);
}

/* ---- Runtime parameters. */

/* -1: no component that there is. */
static int component_of(const struct request *r)
{
    if (bytes_equal_text(r->args[0], OPERATOR_COMPONENT))
        return true;
    return bytes_equal_text(r->args[0], COMPONENT) ? false : -1;
}

/* The vhost is the path's second part, so the table of routes does not look after it. False:
 * answered. */
static bool check_parameter_vhost(struct request *r)
{
    if (!auth_vhost_exists(r->admin->options.auth, r->args[1])) {
        if (r->method == METHOD_PUT)
            respond_error(r, 404, "not_found", "vhost_not_found");
        else
            respond_not_found(r);
        return false;
    }
    if ((r->rights & RIGHT_ADMINISTRATOR) || access_enters_vhost(r, r->args[1]))
        return true;
    respond_error(r, 401, "not_authorised", "User not authorised to access object");
    return false;
}

void api_parameters_list(struct request *r)
{
    list(r, &listing_parameters[true], NULL);
}

void api_parameters_list_component(struct request *r)
{
    int component = component_of(r);
    if (component < 0)
        respond_empty_list(r);
    else
        list(r, &listing_parameters[component], NULL);
}

void api_parameters_list_vhost(struct request *r)
{
    int component = component_of(r);
    if (!check_parameter_vhost(r))
        return;
    if (component < 0)
        respond_empty_list(r);
    else
        list(r, &listing_parameters[component], &r->args[1]);
}

void api_parameter_get(struct request *r)
{
    int component = component_of(r);
    if (!check_parameter_vhost(r))
        return;
    if (component < 0)
        respond_not_found(r);
    else
        with_policy(r, 1, component, listing_parameters, policy_found);
}

void api_parameter_put(struct request *r)
{
    if (!check_parameter_vhost(r))
        return;
    if (component_of(r) >= 0)
        respond_bad_request(r, "policies may not be set using this method");
    else
        respond_bad_request(r, "Validation failed\n\ncomponent %.*s not found\n",
                            BYTES_PRINT(r->args[0]));
}

void api_parameter_delete(struct request *r)
{
    if (!check_parameter_vhost(r))
        return;
    if (component_of(r) >= 0)
        respond_bad_request(r, "policies may not be cleared using this method");
    else
        respond_not_found(r);
}
