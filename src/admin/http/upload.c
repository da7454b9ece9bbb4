/* Finds the JSON in a body. */
#include "admin/http/upload.h"

#include <string.h>
#include <strings.h>

#define MULTIPART "multipart/form-data"
/* Bytes of a boundary (RFC 2046, 5.1.1); a form with a longer one has no file. */
#define BOUNDARY_BYTES_MAX 70u

/* Where needle stands; NULL: nowhere. */
static const uint8_t *find(struct bytes in, const void *needle, size_t len)
{
    return in.len ? memmem(in.at, in.len, needle, len) : NULL;
}

static struct bytes from(struct bytes whole, const uint8_t *at)
{
    return bytes_of(at, whole.len - (size_t)(at - whole.at));
}

/* Writes "--" and the boundary. Returns false when the type has none, or one that is too long. */
static bool delimiter_of(const char *content_type, char out[BOUNDARY_BYTES_MAX + 3], size_t *len)
{
    const char *at = strcasestr(content_type, "boundary=");
    if (!at)
        return false;
    at += strlen("boundary=");
    size_t count = *at == '"' ? strcspn(++at, "\"") : strcspn(at, "; \t");
    if (count == 0 || count > BOUNDARY_BYTES_MAX)
        return false;
    out[0] = out[1] = '-';
    memcpy(out + 2, at, count);
    *len = count + 2;
    return true;
}

/* Cuts the next part off *rest: its head and its contents. Returns false when there is none. */
static bool next_part(struct bytes *rest, const char *delimiter, size_t len, struct bytes *head,
                      struct bytes *contents)
{
    const uint8_t *begin = find(*rest, delimiter, len);
    if (!begin)
        return false;
    struct bytes part = from(*rest, begin + len);
    const uint8_t *blank = find(part, "\r\n\r\n", 4);
    if (!blank)
        return false;
    *head = bytes_of(part.at, (size_t)(blank - part.at));
    struct bytes inside = from(part, blank + 4);
    const uint8_t *end = find(inside, delimiter, len);
    if (!end || end - inside.at < 2) /* the line end before a delimiter belongs to it */
        return false;
    *contents = bytes_of(inside.at, (size_t)(end - inside.at) - 2);
    *rest = from(inside, end);
    return true;
}

static struct bytes file_of(const char *content_type, struct bytes body)
{
    char delimiter[BOUNDARY_BYTES_MAX + 3];
    size_t len;
    struct bytes head, contents, first = bytes_of(NULL, 0);
    if (!delimiter_of(content_type, delimiter, &len))
        return first;
    while (next_part(&body, delimiter, len, &head, &contents)) {
        if (find(head, "name=\"file\"", strlen("name=\"file\"")) ||
            find(head, "name=file", strlen("name=file")))
            return contents;
        if (!first.at)
            first = contents;
    }
    return first;
}

struct bytes upload_json(const char *content_type, struct bytes body)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (content_type && strncasecmp(content_type, MULTIPART, strlen(MULTIPART)) == 0)
        body = file_of(content_type, body);
    if (body.len >= sizeof mark && memcmp(body.at, mark, sizeof mark) == 0)
        body = bytes_of(body.at + sizeof mark, body.len - sizeof mark);
    return body;
}
