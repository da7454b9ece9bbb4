/* HTTP basic authentication (RFC 7617), the page's cookie, and what tags and permissions allow. */
#include "admin/http/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "admin/http/tickets.h"
#include "leveret/base/base64.h"

static const struct {
    const char *tag;
    unsigned rights;
} tag_rights[] = {
    {"management", RIGHT_MANAGEMENT},
    {"policymaker", RIGHT_MANAGEMENT | RIGHT_POLICYMAKER},
    {"monitoring", RIGHT_MANAGEMENT | RIGHT_MONITORING},
    {"administrator",
     RIGHT_MANAGEMENT | RIGHT_POLICYMAKER | RIGHT_MONITORING | RIGHT_ADMINISTRATOR},
};

unsigned access_rights(const char *tags)
{
    unsigned rights = 0;
    while (*tags) {
        tags += strspn(tags, ", ");
        size_t len = strcspn(tags, ", ");
        for (size_t i = 0; i < sizeof tag_rights / sizeof *tag_rights; i++)
            if (strlen(tag_rights[i].tag) == len && memcmp(tag_rights[i].tag, tags, len) == 0)
                rights |= tag_rights[i].rights;
        tags += len;
    }
    return rights;
}

static void set_user(struct request *r, struct bytes user, const char *tags)
{
    memcpy(r->user, user.at, user.len);
    r->user[user.len] = '\0';
    r->rights = access_rights(tags);
}

enum credentials access_login(struct request *request, struct bytes user, struct bytes password,
                              uint32_t *late_ms)
{
    struct login login = {.tell = true};
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    const struct login_peer peer = {ATTEMPT_HTTP, request->peer, request->loopback,
                                    loop_now_ms(request->admin->options.loop), NULL};
    struct auth *auth = request->admin->options.auth;
    enum status status = auth_login_password(auth, user, password, &peer, &login);
    *late_ms = login.late_ms;
    if (status == STATUS_LIMIT)
        return CREDENTIALS_REFUSED;
    if (status == STATUS_OK && auth_user_tags(auth, user, tags, sizeof tags)) {
        set_user(request, user, tags);
        return CREDENTIALS_GOOD;
    }
    if (login.tell)
        log_line(request->admin->options.log, LOG_WARNING, "http", "%s user=%s: log-in failed",
                 request->peer, login.user);
    return CREDENTIALS_WRONG;
}

/* Checks "user:password" in base64. */
static enum credentials check_basic(struct request *r, const char *encoded, uint32_t *late_ms)
{
    size_t len;
    enum credentials result = CREDENTIALS_NONE;
    uint8_t *pair = base64_decode(bytes_of(encoded, strcspn(encoded, " \r\n")), &len);
    uint8_t *colon = pair ? memchr(pair, ':', len) : NULL;
    if (colon && !memchr(pair, '\0', len) && colon - pair <= (ptrdiff_t)AUTH_NAME_MAX) {
        size_t name = (size_t)(colon - pair);
        result =
            access_login(r, bytes_of(pair, name), bytes_of(colon + 1, len - name - 1), late_ms);
    }
    free(pair);
    return result;
}

/* ---- Tickets. */

void access_cookie_name(const struct request *request, char out[ACCESS_COOKIE_BYTES])
{
    snprintf(out, ACCESS_COOKIE_BYTES, "leveret_%u", request->port);
}

struct bytes access_ticket(const struct request *request)
{
    char name[ACCESS_COOKIE_BYTES];
    const char *at = request->cookie ? request->cookie : "";
    access_cookie_name(request, name);
    size_t len = strlen(name);
    for (at += strspn(at, "; "); *at; at += strspn(at, "; ")) {
        size_t pair = strcspn(at, "; ");
        if (pair > len && memcmp(at, name, len) == 0 && at[len] == '=')
            return bytes_of(at + len + 1, pair - len - 1);
        at += pair;
    }
    return bytes_of("", 0);
}

/* A ticket is as good as the password that was given for it: not when the user is gone, has another
 * password, or may not log in from there. */
static enum credentials check_ticket(struct request *r)
{
    struct tickets *tickets = r->admin->tickets;
    struct auth *auth = r->admin->options.auth;
    struct bytes text = access_ticket(r);
    const struct ticket *ticket =
        text.len ? tickets_find(tickets, text, loop_now_ms(r->admin->options.loop)) : NULL;
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    uint64_t mark;
    if (!ticket || (ticket->loopback && !r->loopback))
        return CREDENTIALS_NONE;
    struct bytes user = bytes_of_text(ticket->user);
    if (!auth_user_mark(auth, user, r->loopback, &mark) || mark != ticket->mark ||
        !auth_user_tags(auth, user, tags, sizeof tags)) {
        tickets_end(tickets, text);
        return CREDENTIALS_NONE;
    }
    if (request_changes(r) && !r->by_page)
        return CREDENTIALS_FOREIGN;
    set_user(r, user, tags);
    return CREDENTIALS_GOOD;
}

enum credentials access_check(struct request *request, uint32_t *late_ms)
{
    const char *header = request->authorization;
    *late_ms = 0;
    if (request->by_control) {
        snprintf(request->user, sizeof request->user, ACCESS_CONTROL_USER);
        request->rights = access_rights("administrator");
        return CREDENTIALS_GOOD;
    }
    if (!header)
        return check_ticket(request);
    if (strncasecmp(header, "Basic ", 6) != 0)
        return CREDENTIALS_NONE;
    header += 6 + strspn(header + 6, " ");
    return check_basic(request, header, late_ms);
}

static void failure_due(void *context)
{
    respond_login_failed(context);
}

static void refusal_due(void *context)
{
    respond_too_many_attempts(context);
}

void access_refuse(struct request *request, enum credentials result, uint32_t late_ms)
{
    void (*due)(void *) = result == CREDENTIALS_REFUSED ? refusal_due : failure_due;
    if (result == CREDENTIALS_FOREIGN) {
        respond_error(request, 401, "not_authorised",
                      "a request by cookie that changes something needs the field X-Leveret: 1");
    } else if (late_ms) {
        request->timer = timer_new(request->admin->options.loop, due, request);
        timer_set(request->timer, late_ms);
    } else {
        respond_login_failed(request);
    }
}

bool access_enters_vhost(const struct request *request, struct bytes vhost)
{
    return request->by_control ||
           auth_may_open(request->admin->options.auth, bytes_of_text(request->user), vhost);
}

bool access_sees_vhost(const struct request *request, struct bytes vhost)
{
    return (request->rights & RIGHT_ADMINISTRATOR) || access_enters_vhost(request, vhost);
}

bool access_knows_vhost(const struct request *request, struct bytes vhost)
{
    return (request->rights & RIGHT_MONITORING) || access_sees_vhost(request, vhost);
}

bool access_has(const struct request *request, enum permission permission, struct bytes vhost,
                struct bytes resource)
{
    return request->by_control ||
           auth_allowed(request->admin->options.auth, bytes_of_text(request->user), vhost,
                        permission, resource);
}

bool access_allowed(struct request *request, enum permission permission, struct bytes vhost,
                    struct bytes resource)
{
    if (access_has(request, permission, vhost, resource))
        return true;
    respond_refused(request);
    return false;
}
