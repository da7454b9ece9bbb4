/* From a request to the function that answers it.
 *
 * Normal course: before the body is read, find the route, check the path, the password and what the
 * user may do; once the body is there, parse it as JSON and call the route's function. What can go
 * wrong is answered here: 400, 401, 404, 405, 429, 503. */
#include "admin/http/dispatch.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/http/http.h"
#include "admin/http/routes.h"
#include "admin/json/url.h"
#include "leveret/base/account.h"
#include "leveret/base/mem.h"

static void decode_parts(struct request *r, const struct bytes *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len;
        char *decoded = url_decode(parts[i], false, &len);
        r->args[i] = bytes_of(decoded, len);
        r->raw_args[i] = bytes_of(mem_need_text(parts[i].at, parts[i].len), parts[i].len);
    }
}

/* Returns true when the pattern's variable part of this number may hold a NUL: names of queues and
 * exchanges, which clients may declare with any bytes, and keys of bindings. All others go to
 * functions that take zero-ended texts. */
static bool may_hold_nul(const char *pattern, size_t part)
{
    const char *at = pattern;
    while ((at = strchr(at, ':')) && part--)
        at++;
    return at && strchr("xyqp", at[1]);
}

static bool has_nul(struct bytes text)
{
    return text.len && memchr(text.at, '\0', text.len);
}

/* Checks that path and query are well-formed. Returns false when they are not, and has answered. */
static bool check_url(struct request *r, const struct bytes *parts, size_t count)
{
    size_t len;
    for (size_t i = 0; i < count; i++)
        if (!url_sound(parts[i])) {
            respond_bad_request(r, "the path holds a malformed percent-encoding, or no UTF-8");
            return false;
        }
    char *query = url_decode(bytes_of_text(r->query), true, &len);
    bool sound = url_sound(bytes_of_text(r->query)) && !has_nul(bytes_of(query, len));
    free(query);
    if (!sound)
        respond_bad_request(r, "the query holds a malformed percent-encoding, a NUL, or no UTF-8");
    return sound;
}

/* Checks that no name in the path holds a NUL that it may not. Returns false when one does, and has
 * answered. */
static bool check_names(struct request *r, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!has_nul(r->args[i]) || may_hold_nul(r->route->pattern, i))
            continue;
        if (r->method == METHOD_PUT || r->method == METHOD_POST)
            respond_bad_request(r, "a name in the path holds a NUL");
        else
            respond_not_found(r);
        return false;
    }
    return true;
}

static bool has_vhost(const struct route *route)
{
    return strstr(route->pattern, "/:v") != NULL;
}

static bool is_of_vhost(enum access access)
{
    return access == ACCESS_VHOST || access == ACCESS_KNOWN;
}

/* Why the user may not use the route; NULL: he may. */
static const char *refusal(const struct request *r)
{
    enum access access = r->route->access;
    if (!r->rights)
        return "Not management user";
    if (access == ACCESS_ADMINISTRATOR && !(r->rights & RIGHT_ADMINISTRATOR))
        return "Not administrator user";
    if (access == ACCESS_MONITORING && !(r->rights & (RIGHT_MONITORING | RIGHT_ADMINISTRATOR)))
        return "Not monitor user";
    if (access == ACCESS_POLICYMAKER && !(r->rights & (RIGHT_POLICYMAKER | RIGHT_ADMINISTRATOR)))
        return "User not authorised to access object";
    if (access == ACCESS_POLICYMAKER && (r->rights & RIGHT_ADMINISTRATOR))
        return NULL;
    if ((!is_of_vhost(access) && access != ACCESS_POLICYMAKER) || !has_vhost(r->route))
        return NULL;
    struct bytes vhost = request_vhost(r);
    bool may = request_changes(r)       ? access_enters_vhost(r, vhost)
               : access == ACCESS_KNOWN ? access_knows_vhost(r, vhost)
                                        : access_sees_vhost(r, vhost);
    return may ? NULL : "User not authorised to access virtual host";
}

/* Checks that there is the vhost that the path names, if the route is about one. Returns false when
 * there is not, and has answered. */
static bool check_vhost(struct request *r)
{
    if (!is_of_vhost(r->route->access) || !has_vhost(r->route) ||
        auth_vhost_exists(r->admin->options.auth, request_vhost(r)))
        return true;
    if (r->method == METHOD_PUT || r->method == METHOD_POST)
        respond_error(r, 404, "not_found", "vhost_not_found");
    else
        respond_not_found(r);
    return false;
}

/* ---- The body. */

static uint64_t body_bytes_max(const struct request *r)
{
    switch (r->route->body) {
    case BODY_NAMES:
        return BODY_NAMES_BYTES;
    case BODY_MESSAGE:
        return 2 * r->admin->options.message_bytes_max + BODY_SMALL_BYTES;
    case BODY_DEFINITIONS:
        return r->admin->options.limits.body_bytes_max;
    case BODY_FORM:
        return BODY_FORM_BYTES;
    default:
        return BODY_SMALL_BYTES;
    }
}

/* Tells the account how much memory the body will take when it is parsed. Returns false when it has
 * too many values, or the account has no room, and has answered. */
static bool take_json(struct request *r)
{
    uint64_t values = value_count_in(text_bytes(&r->body));
    uint64_t bytes = values * VALUE_BYTES + r->body.len;
    if (values > BODY_VALUES_MAX &&
        (r->route->body == BODY_SMALL || r->route->body == BODY_MESSAGE)) {
        respond_bad_request(r, "the body has more than %u values", BODY_VALUES_MAX);
        return false;
    }
    if (!account_take(r->admin->account, ACCOUNT_HTTP_REQUESTS, bytes)) {
        respond_error(r, 503, "service_unavailable",
                      "requests hold as much memory as they may: try again later");
        return false;
    }
    r->json_bytes = bytes;
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Returns true when the request has a body to be parsed. */
static bool has_body(const struct request *r)
{
    size_t blank = 0;
    while (blank < r->body.len && is_blank(r->body.at[blank]))
        blank++;
    return request_changes(r) && r->method != METHOD_DELETE && blank < r->body.len;
}

static void not_found(struct request *r, const char *allow)
{
    if (!*allow)
        respond_not_found(r);
    else
        respond_with(r, r->method == METHOD_OPTIONS ? 200 : 405,
                     (struct http_field){"Allow", allow});
}

/* Checks the password, the vhost and what the user may do. Returns false when the request is
 * refused; it has been answered, or will be. */
static bool check_access(struct request *r)
{
    uint32_t late_ms;
    enum credentials result = access_check(r, &late_ms);
    if (result != CREDENTIALS_GOOD) {
        access_refuse(r, result, late_ms);
        return false;
    }
    if (!check_vhost(r))
        return false;
    const char *why = refusal(r);
    if (why)
        respond_error(r, 401, "not_authorised", why);
    return !why;
}

/* On the port of metrics their path may be another one; the routes know /metrics alone. Returns
 * false when the path is none of metrics'. */
static bool find_metrics(struct request *r)
{
    const char *own = r->admin->options.metrics_path;
    size_t len = own ? strlen(own) : 0;
    char *path;
    if (!r->on_metrics_port || !own || strcmp(own, "/metrics") == 0)
        return true;
    if (strncmp(r->path, own, len) != 0 || (r->path[len] && r->path[len] != '/') ||
        asprintf(&path, "/metrics%s", r->path + len) < 0)
        return false;
    free(r->path);
    r->path = path;
    return true;
}

/* The prefix without a slash behind it: the page's own links are relative to the slash. */
static void redirect_to_page(struct request *r)
{
    char *location;
    if (asprintf(&location, "%s/", r->admin->options.path_prefix) < 0) {
        respond_not_found(r);
        return;
    }
    respond_with(r, 301, (struct http_field){"Location", location});
    free(location);
}

bool dispatch_begin(struct request *request)
{
    struct bytes parts[REQUEST_ARGS_MAX];
    size_t count;
    char allow[64];
    if (!find_metrics(request)) {
        respond_not_found(request);
        return false;
    }
    if (!*request->path) {
        redirect_to_page(request);
        return false;
    }
    const struct route *route = routes_find(request->admin->route_tables, request->method,
                                            request->path, parts, &count, allow);
    request->route = route;
    bool is_metrics = route && strncmp(route->pattern, "/metrics", 8) == 0;
    if (request->on_metrics_port && !is_metrics) {
        respond_not_found(request);
        return false;
    }
    if (!route) {
        not_found(request, allow);
        return false;
    }
    if (!check_url(request, parts, count))
        return false;
    decode_parts(request, parts, count);
    request->body_bytes_max = body_bytes_max(request);
    bool asks = !request->on_metrics_port || request->admin->options.metrics_login;
    if (asks && route->access != ACCESS_ANYBODY && !check_access(request))
        return false;
    return check_names(request, count);
}

void dispatch_handle(struct request *request)
{
    if (!has_body(request) || request->route->body == BODY_FORM)
        request->route->handle(request);
    else if (take_json(request))
        body_parse(request, request->route->handle);
}
