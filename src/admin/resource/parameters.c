/* Part of the api: runtime parameters. RabbitMQ keeps policies, operator policies and the limits of
 * vhosts so; their components are policy, operator_policy and vhost-limits. Here they are further
 * views of what /api/policies, /api/operator-policies and /api/vhost-limits show.
 *
 * Normal course: policies are gathered from the vhosts' owners; limits are in the directory. The
 * list of all parameters leaves policies out, as RabbitMQ's does. What can go wrong: another
 * component: its lists are empty, and it cannot be set. */
#include "admin/resource/parameters.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/resource/limits.h"
#include "admin/resource/policies.h"
#include "admin/resource/policy_json.h"

#define LIMITS_COMPONENT "vhost-limits"

enum component { COMPONENT_POLICY, COMPONENT_OPERATOR_POLICY, COMPONENT_LIMITS, COMPONENT_NONE };

static enum component component_of(const struct request *r)
{
    static const char *const names[] = {POLICY_COMPONENT, POLICY_OPERATOR_COMPONENT,
                                        LIMITS_COMPONENT};
    unsigned i = 0;
    while (i < COMPONENT_NONE && !bytes_equal_text(r->args[0], names[i]))
        i++;
    return (enum component)i;
}

/* ---- Listing. */

/* The only name of a parameter of vhost-limits. A row whose name is this very text stands for the
 * limits of its vhost; all others are policies. */
static const char limits_name[] = "limits";

static const struct policy_info limits_row = {.name = {(const uint8_t *)limits_name, 6}};

static bool is_limits(const struct row *row)
{
    return api_policy_name(row).at == (const uint8_t *)limits_name;
}

static void render_policy(struct request *r, struct answer *a, const struct row *row)
{
    (void)r;
    api_policy_write_parameter(a, row->vhost, row->info, false);
}

static void render(struct request *r, struct answer *a, const struct row *row)
{
    if (!is_limits(row)) {
        api_policy_write_parameter(a, row->vhost, row->info, true);
        return;
    }
    api_limits_write(a, "value", r->admin->options.auth, LIMITED_VHOST,
                     (const char *)row->vhost.at);
    answer_bytes(a, "vhost", row->vhost);
    answer_text(a, "component", LIMITS_COMPONENT);
    answer_text(a, "name", limits_name);
}

static const struct listing_kind listings[] = {
    [COMPONENT_POLICY] = {.gather = &gather_policies,
                          .render = render_policy,
                          .order = api_policy_order,
                          .name = api_policy_name},
    [COMPONENT_OPERATOR_POLICY] = {.gather = &gather_operator_policies,
                                   .render = render,
                                   .order = api_policy_order,
                                   .name = api_policy_name},
    [COMPONENT_LIMITS] = {.render = render, .order = api_policy_order, .name = api_policy_name},
};

struct collecting {
    struct request *request;
    struct listing *listing;
    struct bytes only; /* the vhost whose limits are listed; at is NULL: all that the user sees */
};

static void collect(void *context, const char *vhost, const int64_t max[LIMITS_EACH])
{
    const struct collecting *c = context;
    struct bytes name = bytes_of_text(vhost);
    (void)max;
    if (c->only.at ? !bytes_equal(c->only, name) : !access_sees_vhost(c->request, name))
        return;
    const char *kept = arena_keep_text(listing_arena(c->listing), vhost);
    listing_add(c->listing, bytes_of_text(kept), &limits_row);
}

static void add_limits(struct request *r, struct listing *listing, struct bytes only)
{
    struct collecting collecting = {r, listing, only};
    auth_each_limited(r->admin->options.auth, LIMITED_VHOST, collect, &collecting);
}

/* vhost: NULL: of all that the user sees. */
static void list(struct request *r, enum component component, const struct bytes *vhost)
{
    if (component == COMPONENT_NONE) {
        respond_empty_list(r);
        return;
    }
    struct listing *listing = listing_new(r, &listings[component]);
    if (component == COMPONENT_LIMITS) {
        add_limits(r, listing, vhost ? *vhost : bytes_of(NULL, 0));
        listing_write(r, listing);
    } else {
        listing_gather(r, listing, vhost);
    }
}

static void list_all(struct request *r)
{
    struct listing *listing = listing_new(r, &listings[COMPONENT_OPERATOR_POLICY]);
    add_limits(r, listing, bytes_of(NULL, 0));
    listing_gather(r, listing, NULL);
}

static void list_of_component(struct request *r)
{
    list(r, component_of(r), NULL);
}

/* ---- In a vhost. */

/* Checks that the vhost is there and that the user may use it. dispatch.c does not, since the vhost
 * is the path's second variable part. Returns false when it is wrong, and has answered. */
static bool check_vhost(struct request *r)
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

static void list_of_vhost(struct request *r)
{
    if (check_vhost(r))
        list(r, component_of(r), &r->args[1]);
}

static bool names_limits(const struct request *r)
{
    return bytes_equal_text(r->args[2], limits_name);
}

static bool has_limits(const struct request *r)
{
    bool has = false;
    for (unsigned i = 0; i < LIMITS_EACH; i++)
        has |= auth_limit(r->admin->options.auth, LIMITED_VHOST, r->args[1], i) >= 0;
    return has;
}

static void get(struct request *r)
{
    enum component component = component_of(r);
    const struct row row = {r->args[1], &limits_row};
    if (!check_vhost(r))
        return;
    if (component < COMPONENT_LIMITS)
        api_policy_respond(r, 1, component == COMPONENT_OPERATOR_POLICY, &listings[component]);
    else if (component == COMPONENT_LIMITS && names_limits(r) && has_limits(r))
        listing_respond_one(r, &listings[component], &row);
    else
        respond_not_found(r);
}

/* Whether the user may change the limits of a vhost; if not, has answered. They restrict what
 * others may do, so this is for administrators, here as under /api/vhost-limits. */
static bool may_limit(struct request *r)
{
    if (r->rights & RIGHT_ADMINISTRATOR)
        return true;
    respond_error(r, 401, "not_authorised", "Not administrator user");
    return false;
}

static void put_limits(struct request *r)
{
    static const char *const keys[] = {"value", NULL};
    struct auth *auth = r->admin->options.auth;
    const char *vhost = (const char *)r->args[1].at;
    struct form form = body_form(r);
    bool existed = has_limits(r);
    form_need(&form, keys);
    if (form_ok(&form))
        api_limits_check(LIMITED_VHOST, &form, "value");
    if (!body_ok(r, &form))
        return;
    /* The value replaces all limits, with one write. */
    auth_begin(auth);
    enum status status = auth_clear_limits(auth, LIMITED_VHOST, vhost);
    if (status == STATUS_OK)
        status = api_limits_from_json(r->admin, LIMITED_VHOST, vhost, &form, "value");
    if (status == STATUS_OK)
        status = auth_commit(auth);
    else
        auth_cancel(auth);
    if (status != STATUS_OK) {
        respond_status(r, status, NULL);
        return;
    }
    node_tune_vhost(r->admin->options.node, auth, r->args[1]);
    log_line(r->admin->options.log, LOG_INFO, "http", "limits of vhost '%s' set by '%s'", vhost,
             r->user);
    respond_created(r, !existed);
}

static void put(struct request *r)
{
    enum component component = component_of(r);
    if (!check_vhost(r))
        return;
    if (component < COMPONENT_LIMITS)
        respond_bad_request(r, "policies may not be set using this method");
    else if (component == COMPONENT_NONE)
        respond_bad_request(r, "Validation failed\n\ncomponent %.*s not found\n",
                            BYTES_PRINT(r->args[0]));
    else if (!names_limits(r))
        respond_bad_request(r, "the only parameter of " LIMITS_COMPONENT " is called limits");
    else if (may_limit(r))
        put_limits(r);
}

static void delete_limits(struct request *r)
{
    struct auth *auth = r->admin->options.auth;
    enum status status = auth_clear_limits(auth, LIMITED_VHOST, (const char *)r->args[1].at);
    if (status == STATUS_OK)
        node_tune_vhost(r->admin->options.node, auth, r->args[1]);
    respond_deleted(r, status);
}

static void delete_one(struct request *r)
{
    enum component component = component_of(r);
    if (!check_vhost(r))
        return;
    if (component < COMPONENT_LIMITS)
        respond_bad_request(r, "policies may not be cleared using this method");
    else if (component == COMPONENT_NONE || !names_limits(r) || !has_limits(r))
        respond_not_found(r);
    else if (may_limit(r))
        delete_limits(r);
}

/* ---- Routes. */

const struct route api_parameters[] = {
    {METHOD_GET, "/api/parameters", list_all, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_GET, "/api/parameters/:c", list_of_component, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_GET, "/api/parameters/:c/:w", list_of_vhost, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_GET, "/api/parameters/:c/:w/:n", get, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_PUT, "/api/parameters/:c/:w/:n", put, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_DELETE, "/api/parameters/:c/:w/:n", delete_one, ACCESS_POLICYMAKER, BODY_SMALL},
    ROUTES_END,
};
