/* The page's log-in: a name and a password, once, for a cookie with a ticket.
 *
 * Normal course: POST /api/login with a form or JSON, the password is checked and counted as that
 * of basic authentication is, and 204 sets the cookie, which no script can read and no other site's
 * request carries. DELETE /api/login ends the ticket. What can go wrong: a wrong password (401, as
 * late as attempts.h says), a user who may not use the API (401), a form that another site has the
 * browser send (401). */
#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/http/http.h"
#include "admin/http/tickets.h"
#include "admin/json/url.h"
#include "admin/page/page.h"

/* Sets the cookie; an empty text removes it. */
static void respond_cookie(struct request *r, const char *text, uint64_t life_s)
{
    const char *prefix = r->admin->options.path_prefix;
    char name[ACCESS_COOKIE_BYTES];
    char *cookie;
    access_cookie_name(r, name);
    if (asprintf(&cookie, "%s=%s; Path=%s/; Max-Age=%llu; HttpOnly; SameSite=Strict%s", name, text,
                 prefix ? prefix : "", (unsigned long long)life_s,
                 r->secure ? "; Secure" : "") < 0) {
        respond_no_room(r);
        return;
    }
    respond_with(r, 204, (struct http_field){"Set-Cookie", cookie});
    free(cookie);
}

static void issue(struct request *r)
{
    struct ticket ticket = {.loopback = r->loopback};
    char text[TICKET_DIGITS + 1];
    const struct admin_options *o = &r->admin->options;
    if (!auth_user_mark(o->auth, bytes_of_text(r->user), r->loopback, &ticket.mark)) {
        respond_login_failed(r);
        return;
    }
    snprintf(ticket.user, sizeof ticket.user, "%s", r->user);
    tickets_issue(r->admin->tickets, &ticket, loop_now_ms(o->loop), text);
    log_line(o->log, LOG_INFO, "http", "%s user=%s: logged in to the page", r->peer, r->user);
    respond_cookie(r, text, o->login_life_ms / 1000);
}

static void log_in(struct request *r, struct bytes user, struct bytes password)
{
    uint32_t late_ms;
    enum credentials result = access_login(r, user, password, &late_ms);
    if (result != CREDENTIALS_GOOD)
        access_refuse(r, result, late_ms);
    else if (!r->rights)
        respond_error(r, 401, "not_authorised", "Not management user");
    else
        issue(r);
}

static void log_in_by_json(struct request *r)
{
    static const char *const keys[] = {"username", "password", NULL};
    struct form form = body_form(r);
    form_need(&form, keys);
    struct bytes user = form_bytes(&form, "username", bytes_of("", 0));
    struct bytes password = form_bytes(&form, "password", bytes_of("", 0));
    if (body_ok(r, &form))
        log_in(r, user, password);
}

/* A field of a form (application/x-www-form-urlencoded), decoded: the caller frees it. NULL: the
 * form has no such field. */
static char *form_field(struct bytes form, const char *name, size_t *len)
{
    size_t name_len = strlen(name);
    while (form.len) {
        const uint8_t *end = memchr(form.at, '&', form.len);
        size_t pair = end ? (size_t)(end - form.at) : form.len;
        if (pair > name_len && memcmp(form.at, name, name_len) == 0 && form.at[name_len] == '=')
            return url_decode(bytes_of(form.at + name_len + 1, pair - name_len - 1), true, len);
        form.at += pair + (end != NULL);
        form.len -= pair + (end != NULL);
    }
    return NULL;
}

static void log_in_by_form(struct request *r)
{
    size_t user_len = 0, password_len = 0;
    char *user = form_field(text_bytes(&r->body), "username", &user_len);
    char *password = form_field(text_bytes(&r->body), "password", &password_len);
    if (user && password)
        log_in(r, bytes_of(user, user_len), bytes_of(password, password_len));
    else
        respond_bad_request(r, "a log-in needs the fields username and password");
    if (password)
        explicit_bzero(password, password_len);
    free(user);
    free(password);
}

static void post_login(struct request *r)
{
    static const char json[] = "application/json";
    /* A browser names the origin of the page that sends a form; this one's page says X-Leveret. */
    if (r->origin && !r->by_page)
        access_refuse(r, CREDENTIALS_FOREIGN, 0);
    else if (r->content_type && strncmp(r->content_type, json, sizeof json - 1) == 0)
        body_parse(r, log_in_by_json);
    else
        log_in_by_form(r);
}

static void delete_login(struct request *r)
{
    if (!r->by_page) {
        access_refuse(r, CREDENTIALS_FOREIGN, 0);
        return;
    }
    tickets_end(r->admin->tickets, access_ticket(r));
    respond_cookie(r, "", 0);
}

/* ---- Routes. */

const struct route login_routes[] = {
    {METHOD_POST, "/api/login", post_login, ACCESS_ANYBODY, BODY_FORM},
    {METHOD_DELETE, "/api/login", delete_login, ACCESS_ANYBODY, BODY_SMALL},
    ROUTES_END,
};
