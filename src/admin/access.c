/* HTTP basic authentication (RFC 7617), tags and permissions. */
#include "access.h"

#include <stdlib.h>
#include <strings.h>

#include "leveret/base/mem.h"

/* ---- Base64. */

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

uint8_t *base64_decode(struct bytes text, size_t *len)
{
    while (text.len && text.at[text.len - 1] == '=')
        text.len--;
    if (text.len % 4 == 1)
        return NULL;
    uint8_t *out = mem_try(text.len / 4 * 3 + 3);
    uint32_t bits = 0;
    *len = 0;
    for (size_t i = 0; out && i < text.len; i++) {
        int digit = base64_digit(text.at[i]);
        if (digit < 0) {
            free(out);
            return NULL;
        }
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4)
            out[(*len)++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    if (out)
        out[*len] = '\0';
    return out;
}

void base64_encode(struct text *out, struct bytes plain)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < plain.len; i += 3) {
        size_t left = plain.len - i;
        uint32_t bits = (uint32_t)plain.at[i] << 16;
        if (left > 1)
            bits |= (uint32_t)plain.at[i + 1] << 8;
        if (left > 2)
            bits |= plain.at[i + 2];
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        left > 1 ? digits[bits >> 6 & 63] : '=',
                        left > 2 ? digits[bits & 63] : '='};
        text_add(out, four, 4);
    }
}

/* ---- Log-in. */

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
    char tags[1024];
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
    free(pair);
    request->admin->logins++;
    if (!ok) {
        request->admin->logins_failed++;
        log_line(request->admin->options.log, LOG_WARNING, "http", "log-in failed: %s",
                 request->path);
    }
    return ok;
}

bool request_enters_vhost(const struct request *request, struct bytes vhost)
{
    return auth_may_open(request->admin->options.auth, bytes_of_text(request->user), vhost);
}

bool request_sees_vhost(const struct request *request, struct bytes vhost)
{
    return (request->rights & (RIGHT_MONITORING | RIGHT_ADMINISTRATOR)) ||
           request_enters_vhost(request, vhost);
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
