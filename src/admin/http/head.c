/* Reads a request's head.
 *
 * Normal course: the request line, then the header fields, one in a line; a table says which of
 * them are used. What can go wrong: the client may have sent any bytes. A head that can be read in
 * two ways (with two lengths, a length and chunks, a folded line, a space before the colon) is
 * refused, since a proxy in front might have read it in the other way. */
#include "admin/http/head.h"

#include <strings.h>

/* Digits of Content-Length; a field with more is malformed. No body may be as long as that. */
#define LENGTH_DIGITS_MAX 18

size_t head_length(struct bytes bytes, size_t *scanned)
{
    /* The end of an empty line ends the head. Up to three bytes of it may have come before. */
    size_t from = *scanned > 3 ? *scanned - 3 : 0;
    while (from < bytes.len) {
        const uint8_t *end = memchr(bytes.at + from, '\n', bytes.len - from);
        if (!end)
            break;
        size_t at = (size_t)(end - bytes.at) + 1;
        if (at < bytes.len && bytes.at[at] == '\n')
            return at + 1;
        if (at + 1 < bytes.len && bytes.at[at] == '\r' && bytes.at[at + 1] == '\n')
            return at + 2;
        from = at;
    }
    *scanned = bytes.len;
    return 0;
}

/* ---- Pieces. */

static bool is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static struct bytes trim(struct bytes text)
{
    while (text.len && is_blank(text.at[0]))
        text.at++, text.len--;
    while (text.len && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

static bool is_word(struct bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp((const char *)text.at, word, text.len) == 0;
}

/* Cuts a line off the front of *rest, and returns it without its end. */
static struct bytes take_line(struct bytes *rest)
{
    const uint8_t *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;
    struct bytes line = *rest;
    if (!end) {
        *rest = bytes_of("", 0);
        return line;
    }
    line.len = (size_t)(end - rest->at);
    rest->at = end + 1;
    rest->len -= line.len + 1;
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Returns false when the line has a control character other than a tab: it could break a line of
 * the log, or end a text too early. */
static bool is_clean(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.at[i] < 0x20 && line.at[i] != '\t') || line.at[i] == 0x7f)
            return false;
    return true;
}

/* ---- The request line. */

static const struct {
    const char *name;
    enum http_method method;
} methods[] = {
    {"GET", METHOD_GET},       {"PUT", METHOD_PUT},   {"POST", METHOD_POST},
    {"DELETE", METHOD_DELETE}, {"HEAD", METHOD_HEAD}, {"OPTIONS", METHOD_OPTIONS},
};

static enum http_method method_of(struct bytes name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (bytes_equal_text(name, methods[i].name))
            return methods[i].method;
    return METHOD_OTHER;
}

static int read_version(struct bytes version, struct head *out)
{
    if (version.len != 8 || !bytes_start_with(version, "HTTP/") || version.at[6] != '.' ||
        version.at[5] < '0' || version.at[5] > '9' || version.at[7] < '0' || version.at[7] > '9')
        return 400;
    if (version.at[5] != '1')
        return 505;
    out->minor_0 = version.at[7] == '0';
    out->keep_alive = !out->minor_0;
    return 0;
}

static int read_request_line(struct bytes line, struct head *out)
{
    const uint8_t *first = line.len ? memchr(line.at, ' ', line.len) : NULL;
    const uint8_t *last = line.len ? memrchr(line.at, ' ', line.len) : NULL;
    if (!first || first == last || first == line.at)
        return 400;
    struct bytes method = bytes_of(line.at, (size_t)(first - line.at));
    for (size_t i = 0; i < method.len; i++)
        if (!is_token(method.at[i]))
            return 400;
    out->method = method_of(method);
    out->target = bytes_of(first + 1, (size_t)(last - first - 1));
    if (out->target.len == 0 || memchr(out->target.at, ' ', out->target.len))
        return 400;
    return read_version(bytes_of(last + 1, (size_t)(line.at + line.len - last - 1)), out);
}

/* ---- Fields. */

struct head_reading {
    struct head *head;
    bool has_length;
    bool asked_to_keep, asked_to_close;
};

static int read_length(struct head_reading *r, struct bytes value)
{
    uint64_t bytes = 0;
    if (value.len == 0 || value.len > LENGTH_DIGITS_MAX)
        return 400;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return 400;
        bytes = bytes * 10 + (uint64_t)(value.at[i] - '0');
    }
    if (r->has_length && bytes != r->head->body_bytes)
        return 400;
    r->has_length = true;
    r->head->body_bytes = bytes;
    return 0;
}

static int read_coding(struct head_reading *r, struct bytes value)
{
    if (!is_word(value, "chunked"))
        return 501;
    if (r->head->chunked || r->head->minor_0)
        return 400;
    r->head->chunked = true;
    return 0;
}

static int read_connection(struct head_reading *r, struct bytes value)
{
    while (value.len) {
        const uint8_t *comma = memchr(value.at, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.at) : value.len;
        struct bytes word = trim(bytes_of(value.at, len));
        r->asked_to_close = r->asked_to_close || is_word(word, "close");
        r->asked_to_keep = r->asked_to_keep || is_word(word, "keep-alive");
        value.at += len + (comma != NULL);
        value.len -= len + (comma != NULL);
    }
    return 0;
}

static int read_expect(struct head_reading *r, struct bytes value)
{
    r->head->expects = is_word(value, "100-continue");
    return r->head->expects ? 0 : 417;
}

static int read_authorization(struct head_reading *r, struct bytes value)
{
    if (r->head->authorization.at)
        return 400;
    r->head->authorization = value;
    return 0;
}

static int read_reason(struct head_reading *r, struct bytes value)
{
    r->head->reason = value;
    return 0;
}

static int read_content_type(struct head_reading *r, struct bytes value)
{
    r->head->content_type = value;
    return 0;
}

static int read_accept(struct head_reading *r, struct bytes value)
{
    r->head->accept = value;
    return 0;
}

static int read_origin(struct head_reading *r, struct bytes value)
{
    r->head->origin = value;
    return 0;
}

static int read_cookie(struct head_reading *r, struct bytes value)
{
    r->head->cookie = value;
    return 0;
}

static int read_if_none_match(struct head_reading *r, struct bytes value)
{
    r->head->if_none_match = value;
    return 0;
}

static int read_by_page(struct head_reading *r, struct bytes value)
{
    r->head->by_page = bytes_equal_text(value, "1");
    return 0;
}

/* Returns true for a weight of zero ("q=0", "q=0.000"), which means: not this one. */
static bool is_refused(struct bytes parameters)
{
    const uint8_t *q = parameters.len ? memmem(parameters.at, parameters.len, "q=0", 3) : NULL;
    const uint8_t *end = parameters.at + parameters.len;
    for (q = q ? q + 3 : end; q < end; q++)
        if (*q >= '1' && *q <= '9')
            return false;
    return parameters.len && memmem(parameters.at, parameters.len, "q=0", 3);
}

static int read_accept_encoding(struct head_reading *r, struct bytes value)
{
    while (value.len) {
        const uint8_t *comma = memchr(value.at, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.at) : value.len;
        const uint8_t *mark = len ? memchr(value.at, ';', len) : NULL;
        size_t word = mark ? (size_t)(mark - value.at) : len;
        if (is_word(trim(bytes_of(value.at, word)), "gzip"))
            r->head->takes_gzip = !is_refused(bytes_of(value.at + word, len - word));
        value.at += len + (comma != NULL);
        value.len -= len + (comma != NULL);
    }
    return 0;
}

static const struct {
    const char *name;
    int (*read)(struct head_reading *r, struct bytes value);
} fields[] = {
    {"Content-Length", read_length},
    {"Transfer-Encoding", read_coding},
    {"Connection", read_connection},
    {"Expect", read_expect},
    {"X-Reason", read_reason},
    {"Authorization", read_authorization},
    {"Content-Type", read_content_type},
    {"Accept", read_accept},
    {"Origin", read_origin},
    {"Cookie", read_cookie},
    {"If-None-Match", read_if_none_match},
    {"X-Leveret", read_by_page},
    {"Accept-Encoding", read_accept_encoding},
};

static int read_field(struct head_reading *r, struct bytes line)
{
    const uint8_t *colon = memchr(line.at, ':', line.len);
    if (!colon || colon == line.at)
        return 400;
    struct bytes name = bytes_of(line.at, (size_t)(colon - line.at));
    for (size_t i = 0; i < name.len; i++)
        if (!is_token(name.at[i]))
            return 400;
    struct bytes value = trim(bytes_of(colon + 1, line.len - name.len - 1));
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (is_word(name, fields[i].name))
            return fields[i].read(r, value);
    return 0;
}

int head_read(struct bytes bytes, struct head *out)
{
    struct head_reading r = {.head = out};
    size_t count = 0;
    *out = (struct head){.method = METHOD_OTHER};
    struct bytes line = take_line(&bytes);
    int code = is_clean(line) ? read_request_line(line, out) : 400;
    while (code == 0 && bytes.len) {
        line = take_line(&bytes);
        if (line.len == 0)
            break;
        if (++count > HEAD_FIELDS_MAX)
            code = 431;
        else
            code = is_clean(line) ? read_field(&r, line) : 400;
    }
    if (code == 0 && out->chunked && r.has_length)
        code = 400;
    if (r.asked_to_keep)
        out->keep_alive = true;
    if (r.asked_to_close || code)
        out->keep_alive = false;
    return code;
}
