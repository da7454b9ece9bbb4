/* Finding the route that a path fits. */
#include "admin/http/routes.h"

#include <stdio.h>

bool routes_match(const char *pattern, const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                  size_t *count)
{
    *count = 0;
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        size_t want = strcspn(pattern, "/"), have = strcspn(path, "/");
        if (*pattern == ':') {
            if (have == 0 || *count == REQUEST_ARGS_MAX)
                return false;
            parts[(*count)++] = bytes_of(path, have);
        } else if (want != have || memcmp(pattern, path, want) != 0) {
            return false;
        }
        pattern += want;
        path += have;
    }
    return *pattern == '\0' && (*path == '\0' || strcmp(path, "/") == 0);
}

static const char *const method_names[] = {"GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", ""};

/* The first route of a table that method and path fit; NULL: none. seen[] notes the methods of the
 * routes before it that the path fits. */
static const struct route *find_in(const struct route *table, enum http_method method,
                                   const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                                   size_t *count, bool seen[METHOD_OTHER + 1])
{
    for (const struct route *r = table; r->pattern; r++) {
        if (!routes_match(r->pattern, path, parts, count))
            continue;
        if (r->method == method)
            return r;
        seen[r->method] = true;
    }
    return NULL;
}

const struct route *routes_find(const struct route *const *tables, enum http_method method,
                                const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                                size_t *count, char allow[64])
{
    const struct route *found = NULL;
    bool seen[METHOD_OTHER + 1] = {false};
    if (method == METHOD_HEAD)
        method = METHOD_GET;
    allow[0] = '\0';
    for (; *tables && !found; tables++)
        found = find_in(*tables, method, path, parts, count, seen);
    if (found)
        return found;
    size_t len = seen[METHOD_GET] ? (size_t)snprintf(allow, 64, "HEAD, ") : 0;
    for (size_t i = 0; i < METHOD_OTHER && len < 50; i++)
        if (seen[i])
            len += (size_t)snprintf(allow + len, 64 - len, "%s, ", method_names[i]);
    if (len)
        snprintf(allow + len, 64 - len, "OPTIONS");
    return NULL;
}
