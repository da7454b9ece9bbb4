/* SASL mechanisms: from a client's response to a user's name.
 *
 * Normal course: each mechanism of a table reads name and password from its response; one check for
 * all follows. What can go wrong: a response may be any bytes. One that does not have the
 * mechanism's form is MALFORMED, one with a wrong name or password ACCESS_REFUSED. */
#include "directory.h"
#include "leveret/wire/table.h"

struct claim {
    struct bytes user, password;
    bool no_password; /* true when the mechanism does not ask for a password */
};

/* RFC 4616: [authzid] NUL authcid NUL password. */
static enum status read_plain(const struct auth *auth, const struct login_peer *peer,
                              struct bytes response, struct claim *out)
{
    (void)peer;
    const uint8_t *end = response.at + response.len, *first = NULL, *second = NULL;
    (void)auth;

    if (response.len)
        first = memchr(response.at, 0, response.len);
    if (first && first + 1 < end)
        second = memchr(first + 1, 0, (size_t)(end - first - 1));
    if (!second)
        return STATUS_MALFORMED;
    struct bytes acts_as = bytes_of(response.at, (size_t)(first - response.at));
    out->user = bytes_of(first + 1, (size_t)(second - first - 1));
    out->password = bytes_of(second + 1, (size_t)(end - second - 1));
    if (out->password.len && memchr(out->password.at, 0, out->password.len))
        return STATUS_MALFORMED;
    /* No user may act as another one. */
    if (acts_as.len && !bytes_equal(acts_as, out->user))
        return STATUS_ACCESS_REFUSED;
    return STATUS_OK;
}

/* The response is a field table's contents with LOGIN and PASSWORD. */
static enum status read_amqplain(const struct auth *auth, const struct login_peer *peer,
                                 struct bytes response, struct claim *out)
{
    (void)peer;
    struct field login, password;
    (void)auth;

    if (table_check(response) != STATUS_OK || !table_find(response, "LOGIN", &login) ||
        !table_find(response, "PASSWORD", &password) || login.type != FIELD_STRING ||
        password.type != FIELD_STRING)
        return STATUS_MALFORMED;
    out->user = login.value.bytes;
    out->password = password.value.bytes;
    return STATUS_OK;
}

/* RFC 4505: the response is a trace that nobody checks. */
static enum status read_anonymous(const struct auth *auth, const struct login_peer *peer,
                                  struct bytes response, struct claim *out)
{
    (void)peer;
    (void)response;
    if (!auth->anonymous_user)
        return STATUS_NOT_IMPLEMENTED;
    out->user = bytes_of_text(auth->anonymous_user);
    out->no_password = true;
    return STATUS_OK;
}

/* RFC 4422, appendix A: the user is known from the connection; the response, if it says a name,
 * must say that one. */
static enum status read_external(const struct auth *auth, const struct login_peer *peer,
                                 struct bytes response, struct claim *out)
{
    (void)auth;
    if (!peer->certified || !peer->certified[0])
        return STATUS_ACCESS_REFUSED;
    out->user = bytes_of_text(peer->certified);
    out->no_password = true;
    return response.len && !bytes_equal(response, out->user) ? STATUS_ACCESS_REFUSED : STATUS_OK;
}

static const struct {
    const char *name;
    enum status (*read)(const struct auth *auth, const struct login_peer *peer,
                        struct bytes response, struct claim *out);
} mechanisms[] = {
    {"PLAIN", read_plain},
    {"AMQPLAIN", read_amqplain},
    {"ANONYMOUS", read_anonymous},
    {"EXTERNAL", read_external},
};

/* Whether the mechanism is among those offered to a client with a certificate. */
static bool is_offered(const struct auth *auth, struct bytes mechanism)
{
    const char *at = auth->mechanisms_certified;
    while (*at) {
        size_t len = strcspn(at, " ");
        if (bytes_equal(mechanism, bytes_of(at, len)))
            return true;
        at += len + (at[len] == ' ');
    }
    return false;
}

static enum status read_response(const struct auth *auth, const struct login_peer *peer,
                                 struct bytes mechanism, struct bytes response, struct claim *out)
{
    if (!is_offered(auth, mechanism))
        return STATUS_NOT_IMPLEMENTED;
    for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
        if (bytes_equal_text(mechanism, mechanisms[i].name))
            return mechanisms[i].read(auth, peer, response, out);
    return STATUS_NOT_IMPLEMENTED;
}

/* ---- Claims, checked and counted. */

static bool is_good(struct auth *auth, const struct claim *claim, bool loopback)
{
    struct password_hash hash;
    if (claim->no_password)
        return auth_find_secret(auth, claim->user, loopback, &hash);
    return auth_check_password(auth, claim->user, claim->password, loopback) == STATUS_OK;
}

static enum status judge(struct auth *auth, const struct claim *claim,
                         const struct login_peer *peer, struct login *out)
{
    const struct attempt attempt = {peer->protocol, peer->address, claim->user, peer->now_ms};
    size_t len = claim->user.len < AUTH_NAME_MAX ? claim->user.len : AUTH_NAME_MAX;
    memcpy(out->user, claim->user.at, len);
    out->user[len] = '\0';
    bool allowed = attempts_allowed(auth->attempts, &attempt);
    bool good = allowed && is_good(auth, claim, peer->loopback);
    out->late_ms = attempts_count(auth->attempts, &attempt, allowed, good, &out->tell);
    return good ? STATUS_OK : allowed ? STATUS_ACCESS_REFUSED : STATUS_LIMIT;
}

enum status auth_login(struct auth *auth, struct bytes mechanism, struct bytes response,
                       const struct login_peer *peer, struct login *out)
{
    struct claim claim = {.user = bytes_of("", 0)};
    *out = (struct login){.tell = true};
    enum status status = read_response(auth, peer, mechanism, response, &claim);
    if (status == STATUS_NOT_IMPLEMENTED)
        return status;
    if (status == STATUS_OK)
        return judge(auth, &claim, peer, out);
    /* A response of the wrong form counts as a failure, too, without a user name. */
    const struct attempt attempt = {peer->protocol, peer->address, bytes_of("", 0), peer->now_ms};
    out->late_ms = attempts_count(auth->attempts, &attempt, true, false, &out->tell);
    return status;
}

enum status auth_login_password(struct auth *auth, struct bytes user, struct bytes password,
                                const struct login_peer *peer, struct login *out)
{
    const struct claim claim = {.user = user, .password = password};
    *out = (struct login){.tell = true};
    return judge(auth, &claim, peer, out);
}
