/* HTTP basic authentication (RFC 7617), tags and permissions. */
#include "access.h"
#include "leveret/base/base64.h"

#include <stdlib.h>
#include <strings.h>

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

/* Checks "user:password". */
static bool check(struct request *r, uint8_t *pair, size_t len)
{
    uint8_t *colon = memchr(pair, ':', len);
    char tags[AUTH_TAGS_BYTES_MAX + 1];
    if (!colon || memchr(pair, '\0', len) || colon - pair > (ptrdiff_t)AUTH_NAME_MAX)
        return false;
    struct bytes user = bytes_of(pair, (size_t)(colon - pair));
    struct bytes password = bytes_of(colon + 1, len - user.len - 1);
    struct auth *auth = r->admin->options.auth;
    if (auth_check_password(auth, user, password, r->loopback) != STATUS_OK ||
        !auth_user_tags(auth, user, tags, sizeof tags))
        return false;
    memcpy(r->user, user.at, user.len);
    r->user[user.len] = '\0';
    r->rights = access_rights(tags);
    return true;
}

bool access_check(struct request *request)
{
    const char *header = request->authorization;
    if (!header || strncasecmp(header, "Basic ", 6) != 0)
        return false;
    header += 6 + strspn(header + 6, " ");
    size_t len;
    uint8_t *pair = base64_decode(bytes_of(header, strcspn(header, " \r\n")), &len);
    if (!pair)
        return false;
    bool ok = check(request, pair, len);
    request->admin->logins++;
    if (!ok) {
        request->admin->logins_failed++;
        log_line(request->admin->options.log, LOG_WARNING, "http", "%s user=%.*s: log-in failed",
                 request->peer, (int)strcspn((const char *)pair, ":"), (const char *)pair);
    }
    free(pair);
    return ok;
}

bool request_enters_vhost(const struct request *request, struct bytes vhost)
{
    return auth_may_open(request->admin->options.auth, bytes_of_text(request->user), vhost);
}

bool request_sees_vhost(const struct request *request, struct bytes vhost)
{
    return (request->rights & RIGHT_ADMINISTRATOR) || request_enters_vhost(request, vhost);
}

bool request_knows_vhost(const struct request *request, struct bytes vhost)
{
    return (request->rights & RIGHT_MONITORING) || request_sees_vhost(request, vhost);
}

bool request_allowed(struct request *request, enum permission permission, struct bytes vhost,
                     struct bytes resource)
{
    if (auth_allowed(request->admin->options.auth, bytes_of_text(request->user), vhost, permission,
                     resource))
        return true;
    reply_refused(request);
    return false;
}
