/* Requests to the HTTP API.
 *
 * Normal course: a request is sent, and the JSON of its answer is returned. What can go wrong, each
 * told in one line: no answer; 404, with the name of what is missing; 401 and 400 with the broker's
 * reason; an answer that is not JSON, which means that another program listens there. */
#include "ctl/api/api.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api/http.h"
#include "ctl/api/problems.h"

/* Bytes of a broker's place in a message; the rest is cut. */
#define PLACE_ROOM 300

char *api_path(const char *segment, ...)
{
    struct text path = {0};
    va_list more;
    text_printf(&path, "/api");
    va_start(more, segment);
    for (; segment; segment = va_arg(more, const char *)) {
        text_add(&path, "/", 1);
        http_quote(&path, *segment ? segment : "amq.default");
    }
    va_end(more);
    text_add(&path, "", 1);
    return (char *)path.at;
}

/* The broker's reason, in one line. */
static void add_reason(const struct value *answer, struct text *out)
{
    const struct value *reason = value_get(answer, "reason");
    if (value_kind_of(reason) == VALUE_NONE)
        reason = value_get(answer, "error");
    value_show(reason, out);
}

static bool is_missing(const struct http_answer *answer, const struct value *json)
{
    const char *reason = value_text(value_get(json, "reason"));
    return answer->status == 404 && (!reason || strcmp(reason, "Not Found") == 0);
}

/* A 401 means that the login failed or that the user may not do this; only its text tells which. */
static bool is_bad_login(const struct http_answer *answer, const struct value *json)
{
    const char *error = value_text(value_get(json, "error"));
    return answer->status == 401 && error && strcmp(error, "not_authorized") == 0;
}

static enum outcome complain_missing(const struct session *s, const struct api_request *request)
{
    if (request->in_vhost)
        complain("no %s '%s' in virtual host '%s'", request->what, request->which,
                 s->options->vhost);
    else if (request->what)
        complain("no %s '%s'", request->what, request->which);
    else
        complain("the broker does not know %s", request->path);
    if (!request->what)
        return OUTCOME_REFUSED;
    return strcmp(request->what, "user") == 0           ? OUTCOME_NO_USER
           : strcmp(request->what, "virtual host") == 0 ? OUTCOME_NO_VHOST
                                                        : OUTCOME_NO_OBJECT;
}

static enum outcome refused(const struct session *s, const struct api_request *request,
                            const struct http_answer *answer, const struct value *json)
{
    const struct options *o = s->options;
    struct text reason = {0};
    enum outcome outcome = OUTCOME_REFUSED;
    char place[PLACE_ROOM];
    session_place(o, place, sizeof place);
    add_reason(json, &reason);
    if (!json)
        complain("%s answers %ld and is no Leveret", place, answer->status);
    else if (is_missing(answer, json))
        outcome = complain_missing(s, request);
    else if (is_bad_login(answer, json)) {
        complain("%s does not let user '%s' in: %.*s", place, o->user,
                 BYTES_PRINT(text_bytes(&reason)));
        outcome = OUTCOME_BAD_LOGIN;
    } else if (value_get(json, "errors"))
        problems_complain(json, "errors", "errors_more",
                          value_get(json, "imported") ? "not carried out" : "refused");
    else if (answer->status == 401 || answer->status == 403)
        complain("user '%s' may not do this (allowed to: %s): %.*s", o->user, s->needs,
                 BYTES_PRINT(text_bytes(&reason)));
    else
        complain("refused: %.*s", BYTES_PRINT(text_bytes(&reason)));
    text_free(&reason);
    return outcome;
}

enum outcome api_call(struct session *session, const struct api_request *request,
                      struct value **out)
{
    const struct options *o = session->options;
    struct http_answer answer;
    struct text body = {0};
    struct value *given = request->body, *json = NULL;
    enum outcome outcome = OUTCOME_OK;
    if (given)
        value_encode(given, &body);
    if (!http_do(session->http, request->method ? request->method : "GET", request->path,
                 text_bytes(&body), request->header, &answer)) {
        char place[PLACE_ROOM];
        session_place(o, place, sizeof place);
        complain("no answer from %s: %s", place, answer.wrong);
        outcome = OUTCOME_UNREACHABLE;
    } else {
        json = value_parse(text_bytes(&answer.body));
        bool missing = answer.status == 404 && request->may_miss && is_missing(&answer, json);
        bool known =
            answer.status == 401 && request->login_only && json &&
            !is_bad_login(&answer, json); /* the login is right, but the user may not do this */
        if (missing || known)
            value_free(&json);
        else if (answer.status < 200 || answer.status > 299 || (answer.body.len && !json))
            outcome = refused(session, request, &answer, json);
    }
    text_free(&answer.body);
    text_free(&body);
    value_free(&given);
    free(request->path);
    if (out && outcome == OUTCOME_OK)
        *out = json;
    else
        value_free(&json);
    return outcome;
}

struct following_events {
    bool (*each)(void *context, const char *name, const struct value *event);
    void *context;
};

static bool take_event(void *context, const char *name, const char *data)
{
    const struct following_events *f = context;
    struct value *event = value_parse(bytes_of_text(data));
    bool goes_on = f->each(f->context, name, event);
    value_free(&event);
    return goes_on;
}

enum outcome api_follow(struct session *session, const struct api_request *request,
                        bool (*each)(void *context, const char *name, const struct value *event),
                        void *context)
{
    struct following_events f = {each, context};
    struct http_answer answer;
    enum outcome outcome = OUTCOME_OK;
    if (!http_follow(session->http, request->path, take_event, &f, &answer)) {
        char place[PLACE_ROOM];
        session_place(session->options, place, sizeof place);
        complain("no answer from %s: %s", place, answer.wrong);
        outcome = OUTCOME_UNREACHABLE;
    } else if (answer.status != 200) {
        struct value *json = value_parse(text_bytes(&answer.body));
        outcome = refused(session, request, &answer, json);
        value_free(&json);
    }
    text_free(&answer.body);
    free(request->path);
    return outcome;
}
