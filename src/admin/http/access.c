/* HTTP basic authentication (RFC 7617), and what tags and permissions allow. */
#include "admin/http/access.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "admin/http/request.h"
#include "admin/http/respond.h"
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

/* Checks "user:password", and makes the user the request's when it is right. */
static enum credentials check(struct request *r, uint8_t *pair, size_t len, struct login *login)
{
    uint8_t *colon = memchr(pair, ':', len);
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    if (!colon || memchr(pair, '\0', len) || colon - pair > (ptrdiff_t)AUTH_NAME_MAX)
        return CREDENTIALS_NONE;
    struct bytes user = bytes_of(pair, (size_t)(colon - pair));
    struct bytes password = bytes_of(colon + 1, len - user.len - 1);
    const struct login_peer peer = {ATTEMPT_HTTP, r->peer, r->loopback,
                                    loop_now_ms(r->admin->options.loop)};
    struct auth *auth = r->admin->options.auth;
    enum status status = auth_login_password(auth, user, password, &peer, login);
    if (status == STATUS_LIMIT)
        return CREDENTIALS_REFUSED;
    if (status != STATUS_OK || !auth_user_tags(auth, user, tags, sizeof tags))
        return CREDENTIALS_WRONG;
    memcpy(r->user, user.at, user.len);
    r->user[user.len] = '\0';
    r->rights = access_rights(tags);
    return CREDENTIALS_GOOD;
}

enum credentials access_check(struct request *request, uint32_t *late_ms)
{
    struct login login = {.tell = true};
    const char *header = request->authorization;
    size_t len;
    *late_ms = 0;
    if (request->by_control) {
        snprintf(request->user, sizeof request->user, ACCESS_CONTROL_USER);
        request->rights = access_rights("administrator");
        return CREDENTIALS_GOOD;
    }
    if (!header || strncasecmp(header, "Basic ", 6) != 0)
        return CREDENTIALS_NONE;
    header += 6 + strspn(header + 6, " ");
    uint8_t *pair = base64_decode(bytes_of(header, strcspn(header, " \r\n")), &len);
    if (!pair)
        return CREDENTIALS_NONE;
    enum credentials result = check(request, pair, len, &login);
    if (result == CREDENTIALS_WRONG && login.tell)
        log_line(request->admin->options.log, LOG_WARNING, "http", "%s user=%s: log-in failed",
                 request->peer, login.user);
    *late_ms = login.late_ms;
    free(pair);
    return result;
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

bool access_allowed(struct request *request, enum permission permission, struct bytes vhost,
                    struct bytes resource)
{
    if (request->by_control ||
        auth_allowed(request->admin->options.auth, bytes_of_text(request->user), vhost, permission,
                     resource))
        return true;
    respond_refused(request);
    return false;
}
