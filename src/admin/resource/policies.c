/* Part of the api: policies and operator policies.
 *
 * The vhost's owner is asked for policies; they are changed over a link, as a client would change
 * queues. */
#include "admin/resource/policies.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/json/arguments.h"
#include "admin/listing/listing.h"
#include "admin/resource/client.h"
#include "admin/resource/policy_json.h"
#include "leveret/wire/cursor.h"

static void render_policy(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_policy_write(a, row->vhost, row->info);
}

void api_policy_order(const struct row *row, struct listing_order *order)
{
    order->keys[0] = row->vhost;
    order->keys[1] = ((const struct policy_info *)row->info)->name;
}

struct bytes api_policy_name(const struct row *row)
{
    return ((const struct policy_info *)row->info)->name;
}

/* Indexed by whether they are operator policies. */
static const struct listing_kind listing_policies[] = {
    {&gather_policies, render_policy, api_policy_order, api_policy_name, .unpaged = true},
    {&gather_operator_policies, render_policy, api_policy_order, api_policy_name, .unpaged = true},
};
static void list(struct request *r, const struct listing_kind *kind, const struct bytes *vhost)
{
    listing_gather(r, listing_new(r, kind), vhost);
}

static void list_policies(struct request *r)
{
    list(r, &listing_policies[false], NULL);
}

static void list_policies_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &listing_policies[false], &vhost);
}

static void list_operator_policies(struct request *r)
{
    list(r, &listing_policies[true], NULL);
}

static void list_operator_policies_of_vhost(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    list(r, &listing_policies[true], &vhost);
}

/* ---- One. */

struct one_policy {
    struct bytes vhost, name; /* of the policy that the path names */
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

/* Looks a policy up, then calls found. The vhost and the name are the path's variable parts number
 * first and first + 1. */
static void look_up(struct request *r, unsigned first, bool operator_policy,
                    const struct listing_kind *kind, void (*found)(struct request *r))
{
    struct one_policy *one = request_work(r, sizeof *one, free_one_policy);
    one->vhost = r->args[first];
    one->name = r->args[first + 1];
    one->operator_policy = operator_policy;
    one->kind = kind;
    request_ask(r, one->vhost, find_policy, one, found);
}

static void with_policy(struct request *r, bool operator_policy, void (*found)(struct request *r))
{
    look_up(r, 0, operator_policy, &listing_policies[operator_policy], found);
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

void api_policy_respond(struct request *r, unsigned first, bool operator_policy,
                        const struct listing_kind *kind)
{
    look_up(r, first, operator_policy, kind, policy_found);
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

static void put(struct request *r, bool operator_policy)
{
    static const char *const keys[] = {"pattern", "definition", NULL};
    struct form form = body_form(r);
    form_need(&form, keys);
    if (!auth_vhost_exists(r->admin->options.auth, request_vhost(r)))
        respond_error(r, 404, "not_found", "vhost_not_found");
    else if (r->args[1].len > NAME_BYTES_MAX)
        respond_bad_request(r, "name too long");
    else if (body_ok(r, &form))
        with_policy(r, operator_policy, put_found);
}

static void get_policy(struct request *r)
{
    with_policy(r, false, policy_found);
}

static void put_policy(struct request *r)
{
    put(r, false);
}

static void delete_policy(struct request *r)
{
    with_policy(r, false, delete_found);
}

static void get_operator_policy(struct request *r)
{
    with_policy(r, true, policy_found);
}

static void put_operator_policy(struct request *r)
{
    put(r, true);
}

static void delete_operator_policy(struct request *r)
{
    with_policy(r, true, delete_found);
}

/* ---- Routes. */

const struct route api_policies[] = {
    {METHOD_GET, "/api/policies", list_policies, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/policies/:v", list_policies_of_vhost, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/policies/:v/:n", get_policy, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_PUT, "/api/policies/:v/:n", put_policy, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_DELETE, "/api/policies/:v/:n", delete_policy, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_GET, "/api/operator-policies", list_operator_policies, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/operator-policies/:v", list_operator_policies_of_vhost, ACCESS_VHOST,
     BODY_SMALL},
    {METHOD_GET, "/api/operator-policies/:v/:n", get_operator_policy, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_PUT, "/api/operator-policies/:v/:n", put_operator_policy, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_DELETE, "/api/operator-policies/:v/:n", delete_operator_policy, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    ROUTES_END,
};
