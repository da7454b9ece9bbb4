/* HTTP by libcurl, whose types stay in this file.
 *
 * Normal course: one handle, one connection; a request's answer is collected in memory. What can go
 * wrong: no broker answers there, or too late; an answer is larger than HTTP_BODY_BYTES_MAX. */
#include "ctl/api/http.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>

#include "leveret/base/mem.h"

/* Seconds to connect to the broker; then it counts as not answering. */
#define CONNECT_SECONDS 10L

struct http {
    CURL *curl;
    struct text base; /* http://host:port, not zero-ended */
    bool tls;         /* true: by https */
    char wrong[CURL_ERROR_SIZE];
};

static size_t collect(char *at, size_t one, size_t count, void *context)
{
    struct text *body = context;
    if (body->len + one * count > HTTP_BODY_BYTES_MAX)
        return 0;
    text_add(body, at, one * count);
    return one * count;
}

static void use_tls(CURL *curl, const struct options_tls *tls)
{
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, tls->insecure ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, tls->insecure ? 0L : 2L);
    if (tls->cacert)
        curl_easy_setopt(curl, CURLOPT_CAINFO, tls->cacert);
    if (tls->cert)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, tls->cert);
    if (tls->cert)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, tls->key ? tls->key : tls->cert);
}

struct http *http_new(const struct http_target *target)
{
    struct http *http = mem_need(sizeof *http);
    bool v6 = strchr(target->host, ':') && target->host[0] != '[';
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(http->curl = curl_easy_init())) {
        free(http);
        return NULL;
    }
    if (target->socket)
        text_printf(&http->base, "http://localhost");
    else
        text_printf(&http->base, "%s://%s%s%s:%s%s", target->scheme, v6 ? "[" : "", target->host,
                    v6 ? "]" : "", target->port, target->prefix);
    http->tls = !target->socket && strcmp(target->scheme, "https") == 0;
    if (http->tls)
        use_tls(http->curl, target->tls);
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->wrong);
    if (target->socket)
        curl_easy_setopt(http->curl, CURLOPT_UNIX_SOCKET_PATH, target->socket);
    if (target->user) {
        curl_easy_setopt(http->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(http->curl, CURLOPT_USERNAME, target->user);
        curl_easy_setopt(http->curl, CURLOPT_PASSWORD, target->password);
    }
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    /* A queue may be called "..", so the path is sent as it is; and no proxy of the environment is
     * used. */
    curl_easy_setopt(http->curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(http->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, target->timeout_s);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, collect);
    return http;
}

void http_free(struct http **http)
{
    if (!*http)
        return;
    curl_easy_cleanup((*http)->curl);
    curl_global_cleanup();
    text_free(&(*http)->base);
    free(*http);
    *http = NULL;
}

/* What to do about a failure whose reason curl's text does not make plain; "": nothing is added. */
static const char *advice(const struct http *http, CURLcode code)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return " (--cacert names the file of certificates to trust)";
    case CURLE_SSL_CACERT_BADFILE:
        return " (--cacert)";
    case CURLE_SSL_CERTPROBLEM:
        return " (--cert and --key)";
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
        return http->tls ? "" : " (is TLS wanted there? --tls)";
    case CURLE_SSL_CONNECT_ERROR:
        return " (is TLS spoken there?)";
    default:
        return "";
    }
}

bool http_do(struct http *http, const char *method, const char *path, struct bytes body,
             const char *header, struct http_answer *answer)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct text url = {0};
    CURL *curl = http->curl;
    memset(answer, 0, sizeof *answer);
    /* Without this, curl waits for a 100 before it sends a large body. */
    headers = curl_slist_append(headers, "Expect:");
    if (header)
        headers = curl_slist_append(headers, header);
    text_add_bytes(&url, text_bytes(&http->base));
    text_printf(&url, "%s%c", path, 0);
    http->wrong[0] = '\0';
    curl_easy_setopt(curl, CURLOPT_URL, (const char *)url.at);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer->body);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (body.len) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.at);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_slist_free_all(headers);
    text_free(&url);
    if (code != CURLE_OK)
        snprintf(answer->wrong, sizeof answer->wrong, "%s%s",
                 http->wrong[0] ? http->wrong : curl_easy_strerror(code), advice(http, code));
    return code == CURLE_OK;
}

/* ---- Streams. */

/* Bytes of a line of a stream; a longer one ends it. */
#define LINE_BYTES_MAX ((size_t)16 << 20)

struct following {
    CURL *curl;
    bool (*each)(void *context, const char *name, const char *data);
    void *context;
    struct text line, name, data;
    struct text *body; /* of an answer that is no stream */
    bool ended;        /* true: each wanted no more */
};

/* Takes a whole line, without its end: https://html.spec.whatwg.org/#event-stream-interpretation */
static bool take_line(struct following *f)
{
    static const char event[] = "event: ", data[] = "data: ";
    const char *line = (const char *)f->line.at;
    bool goes_on = true;
    if (strncmp(line, event, sizeof event - 1) == 0)
        text_printf(&f->name, "%s%c", line + sizeof event - 1, 0);
    else if (strncmp(line, data, sizeof data - 1) == 0)
        text_printf(&f->data, "%s%c", line + sizeof data - 1, 0);
    if (line[0] == '\0' && f->data.len)
        goes_on = f->each(f->context, f->name.len ? (const char *)f->name.at : NULL,
                          (const char *)f->data.at);
    if (line[0] == '\0')
        f->name.len = f->data.len = 0;
    return goes_on;
}

static size_t follow(char *at, size_t one, size_t count, void *context)
{
    struct following *f = context;
    long status = 0;
    size_t len = one * count;
    curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return collect(at, one, count, f->body);
    for (size_t i = 0; i < len; i++) {
        if (at[i] != '\n') {
            text_add(&f->line, &at[i], 1);
            continue;
        }
        text_add(&f->line, "", 1);
        f->ended = !take_line(f);
        f->line.len = 0;
        if (f->ended)
            return 0;
    }
    return f->line.len > LINE_BYTES_MAX ? 0 : len;
}

bool http_follow(struct http *http, const char *path,
                 bool (*each)(void *context, const char *name, const char *data), void *context,
                 struct http_answer *answer)
{
    struct following f = {
        .curl = http->curl, .each = each, .context = context, .body = &answer->body};
    struct text url = {0};
    memset(answer, 0, sizeof *answer);
    text_add_bytes(&url, text_bytes(&http->base));
    text_printf(&url, "%s%c", path, 0);
    http->wrong[0] = '\0';
    curl_easy_setopt(http->curl, CURLOPT_URL, (const char *)url.at);
    curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT, 0L);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, follow);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &f);
    CURLcode code = curl_easy_perform(http->curl);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    text_free(&url);
    text_free(&f.line);
    text_free(&f.name);
    text_free(&f.data);
    if (code != CURLE_OK && !f.ended)
        snprintf(answer->wrong, sizeof answer->wrong, "%s",
                 http->wrong[0] ? http->wrong : curl_easy_strerror(code));
    return code == CURLE_OK || f.ended;
}

static char *uri_part(CURLU *handle, CURLUPart which, unsigned flags)
{
    char *text = NULL, *copy = NULL;
    if (curl_url_get(handle, which, &text, flags) == CURLUE_OK)
        copy = mem_need_text(text, strlen(text));
    curl_free(text);
    return copy;
}

const char *http_take_uri(const char *uri, struct uri_parts *parts)
{
    CURLU *handle = curl_url();
    const char *wrong = NULL;
    if (!handle || curl_url_set(handle, CURLUPART_URL, uri, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        wrong = "not a URI such as http://user:password@host:15672/prefix";
    else
        *parts = (struct uri_parts){
            .scheme = uri_part(handle, CURLUPART_SCHEME, 0),
            .host = uri_part(handle, CURLUPART_HOST, 0),
            .port = uri_part(handle, CURLUPART_PORT, 0),
            .path = uri_part(handle, CURLUPART_PATH, 0),
            .user = uri_part(handle, CURLUPART_USER, CURLU_URLDECODE),
            .password = uri_part(handle, CURLUPART_PASSWORD, CURLU_URLDECODE),
        };
    char *query = wrong ? NULL : uri_part(handle, CURLUPART_QUERY, 0);
    if (query)
        wrong = "a URI here has no query";
    free(query);
    curl_url_cleanup(handle);
    return wrong;
}

void http_quote(struct text *path, const char *segment)
{
    /* "." and ".." have a meaning of their own in a path. */
    bool dots = strspn(segment, ".") == strlen(segment);
    for (const unsigned char *c = (const unsigned char *)segment; *c; c++) {
        if ((*c < 0x80 && isalnum(*c)) || *c == '_' || *c == '-' || (*c == '.' && !dots))
            text_add(path, c, 1);
        else
            text_printf(path, "%%%02X", *c);
    }
}
