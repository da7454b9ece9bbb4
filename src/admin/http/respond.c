/* Answers. A status becomes an HTTP code here and nowhere else. */
#include "admin/http/respond.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/http/http.h"
#include "admin/http/request.h"
#include "admin/json/answer.h"
#include "leveret/base/mem.h"

/* Tells a request that no client sent how it was answered, once. */
static void hear(struct request *r, int code, const char *reason)
{
    if (r->heard)
        r->heard(r->heard_context, code, reason);
    r->heard = NULL;
}

void respond_json(struct request *request, int code, struct answer *answer)
{
    hear(request, code, "");
    http_send(request, code, "application/json", NULL, &answer->text);
    request_free(request);
}

/* Bytes of a file's name that a download offers; the rest is cut off. */
#define DOWNLOAD_NAME_BYTES_MAX 255

void respond_download(struct request *request, struct answer *answer, const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    char value[sizeof "attachment; filename=" + DOWNLOAD_NAME_BYTES_MAX];
    int at =
        snprintf(value, sizeof value, "attachment; filename=%.*s", DOWNLOAD_NAME_BYTES_MAX, name);
    for (int i = at - (int)strnlen(name, DOWNLOAD_NAME_BYTES_MAX); i < at; i++)
        if (!strchr(good, value[i]))
            value[i] = '_';
    const struct http_field fields[] = {{"Content-Disposition", value}, {NULL, NULL}};
    http_send(request, 200, "application/json", fields, &answer->text);
    request_free(request);
}

void respond_text(struct request *request, int code, const char *type, struct text *text)
{
    http_send(request, code, type, NULL, text);
    request_free(request);
}

void respond_empty(struct request *request, int code)
{
    hear(request, code, "");
    http_send(request, code, NULL, NULL, NULL);
    request_free(request);
}

void respond_empty_list(struct request *request)
{
    struct answer a = {0};
    answer_array(&a, NULL);
    answer_end(&a);
    respond_json(request, 200, &a);
}

void respond_with(struct request *request, int code, struct http_field field)
{
    const struct http_field fields[] = {field, {NULL, NULL}};
    http_send(request, code, NULL, fields, NULL);
    request_free(request);
}

void respond_created(struct request *request, bool created)
{
    respond_empty(request, created ? 201 : 204);
}

void respond_location(struct request *request, const char *location)
{
    respond_with(request, 201, (struct http_field){"Location", location});
}

static void send_error(struct request *r, int code, const char *error, struct bytes reason,
                       const struct http_field *fields)
{
    struct answer w = {0};
    char *text = mem_need_text(reason.at, reason.len);
    hear(r, code, text);
    free(text);
    answer_object(&w, NULL);
    answer_text(&w, "error", error);
    answer_bytes(&w, "reason", reason);
    answer_end(&w);
    http_send(r, code, "application/json", fields, &w.text);
    request_free(r);
}

void respond_error(struct request *request, int code, const char *error, const char *reason)
{
    send_error(request, code, error, bytes_of_text(reason), NULL);
}

void respond_bad_request(struct request *request, const char *format, ...)
{
    char reason[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    respond_error(request, 400, "bad_request", reason);
}

void respond_bad_pair(struct request *request, const char *what, struct bytes value)
{
    struct answer w = {0};
    answer_object(&w, NULL);
    answer_text(&w, "error", "bad_request");
    answer_array(&w, "reason");
    answer_text(&w, NULL, what);
    answer_bytes(&w, NULL, value);
    answer_end(&w);
    answer_end(&w);
    respond_json(request, 400, &w);
}

void respond_not_found(struct request *request)
{
    respond_error(request, 404, "Object Not Found", "Not Found");
}

void respond_vhost_missing(struct request *request, struct bytes vhost)
{
    char *down = node_vhost_down(request->admin->options.node, vhost);
    struct text text = {0};
    if (!down) {
        respond_not_found(request);
        return;
    }
    text_printf(&text, "vhost '%.*s' is down: %s%c", BYTES_PRINT(vhost), down, '\0');
    respond_error(request, 503, "service_unavailable", (const char *)text.at);
    text_free(&text);
    free(down);
}

void respond_no_room(struct request *request)
{
    if (http_is_streaming(request)) {
        http_stream_end(request, false);
        request_free(request);
        return;
    }
    respond_error(request, 503, "service_unavailable",
                  "answers hold as much memory as they may: try again later, or ask for less");
}

void respond_streamed(struct request *request)
{
    http_stream_end(request, true);
    request_free(request);
}

void respond_refused(struct request *request)
{
    respond_error(request, 401, "not_authorised", "Access refused.");
}

void respond_login_failed(struct request *request)
{
    /* Some tools send their password to RabbitMQ's realm only. The page is not asked in this way: a
     * browser would show its own window for it. */
    static const struct http_field ask[] = {
        {"WWW-Authenticate", "Basic realm=\"RabbitMQ Management\""}, {NULL, NULL}};
    send_error(request, 401, "not_authorized", bytes_of_text("Login failed"),
               request->by_page ? NULL : ask);
}

void respond_too_many_attempts(struct request *request)
{
    static const struct http_field later[] = {{"Retry-After", "10"}, {NULL, NULL}};
    send_error(request, 429, "too_many_attempts",
               bytes_of_text("Too many failed log-ins of this user from this address"), later);
}

/* AMQP's reply codes (0-9-1, 1.2), as RabbitMQ's API quotes them in reasons. */
static const struct {
    enum status status;
    const char *text;
} code_names[] = {
    {STATUS_CONTENT_TOO_LARGE, "311 CONTENT_TOO_LARGE"},
    {STATUS_ACCESS_REFUSED, "403 ACCESS_REFUSED"},
    {STATUS_NOT_FOUND, "404 NOT_FOUND"},
    {STATUS_RESOURCE_LOCKED, "405 RESOURCE_LOCKED"},
    {STATUS_PRECONDITION_FAILED, "406 PRECONDITION_FAILED"},
    {STATUS_RESOURCE_ERROR, "506 RESOURCE_ERROR"},
    {STATUS_NOT_ALLOWED, "530 NOT_ALLOWED"},
    {STATUS_NOT_IMPLEMENTED, "540 NOT_IMPLEMENTED"},
};

const char *respond_code_name(enum status status)
{
    for (size_t i = 0; i < sizeof code_names / sizeof *code_names; i++)
        if (code_names[i].status == status)
            return code_names[i].text;
    return "541 INTERNAL_ERROR";
}

void respond_status(struct request *request, enum status status, const char *text)
{
    const char *reason = text && *text ? text : status_text(status);
    switch (status) {
    case STATUS_NOT_FOUND:
        respond_error(request, 404, "not_found", reason);
        break;
    case STATUS_ACCESS_REFUSED:
        respond_refused(request);
        break;
    case STATUS_IO:
    case STATUS_NO_SPACE:
    case STATUS_NO_MEMORY:
    case STATUS_AGAIN:
    case STATUS_CLOSED:
        respond_error(request, 503, "service_unavailable", reason);
        break;
    case STATUS_INTERNAL_ERROR:
    case STATUS_CORRUPT:
        respond_error(request, 500, "internal_server_error", reason);
        break;
    default:
        respond_error(request, 400, "bad_request", reason);
    }
}

void respond_deleted(struct request *request, enum status status)
{
    if (status == STATUS_OK)
        respond_empty(request, 204);
    else if (status == STATUS_NOT_FOUND)
        respond_not_found(request);
    else
        respond_status(request, status, NULL);
}
