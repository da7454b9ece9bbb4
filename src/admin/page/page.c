/* Serves the page's files.
 *
 * Normal course: the path is looked up in the table that the program was built with, and its bytes
 * are sent, packed for a client that takes gzip, or not at all (304) for one that has them already.
 * With page_dir the bytes come from the disk, for who works on the page; the table still says which
 * files there are, so that no path leads elsewhere. What can go wrong: there is no such file, or it
 * cannot be read (404). */
#include "admin/page/page.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "admin/http/http.h"
#include "admin/page/web_files.h"

/* Nothing but the page's own files and the API; no frame, no form, no inline script or style. */
#define PAGE_CSP                                                                                   \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

/* Bytes of a file that is read from page_dir; the rest of a longer one is not sent. */
#define PAGE_FILE_BYTES_MAX (1u << 20)

static const struct web_file *find_file(const char *path)
{
    const char *name = path[1] ? path + 1 : "index.html";
    for (const struct web_file *file = web_files; file->path; file++)
        if (strcmp(file->path, name) == 0)
            return file;
    return NULL;
}

/* Reads the file from the folder. Returns false when it is not there. */
static bool read_from(const char *folder, const struct web_file *file, struct text *out)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", folder, file->path);
    FILE *stream = len > 0 && (size_t)len < sizeof path ? fopen(path, "re") : NULL;
    if (!stream)
        return false;
    out->len = fread(text_reserve(out, PAGE_FILE_BYTES_MAX), 1, PAGE_FILE_BYTES_MAX, stream);
    (void)fclose(stream);
    return true;
}

bool web_is_built(void)
{
    return web_files[0].path != NULL;
}

static void send_file(struct request *r, const struct web_file *file)
{
    const char *folder = r->admin->options.page_dir, *csp = r->admin->options.page_csp;
    struct text body = {0};
    struct http_field fields[8] = {{"Content-Security-Policy", csp ? csp : PAGE_CSP},
                                   {"X-Content-Type-Options", "nosniff"},
                                   {"Referrer-Policy", "same-origin"}};
    size_t count = 3;
    int code = 200;
    if (!folder || !read_from(folder, file, &body)) {
        fields[count++] = (struct http_field){"ETag", file->etag};
        if (r->if_none_match && strstr(r->if_none_match, file->etag)) {
            code = 304;
        } else if (r->takes_gzip) {
            fields[count++] = (struct http_field){"Content-Encoding", "gzip"};
            text_add(&body, file->gzip, file->gzip_len);
        } else {
            text_add(&body, file->bytes, file->len);
        }
    }
    http_send(r, code, file->type, fields, &body);
    request_free(r);
}

static void get_file(struct request *r)
{
    const struct web_file *file = find_file(r->path);
    if (file)
        send_file(r, file);
    else
        respond_not_found(r);
}

/* ---- Routes. */

const struct route web_routes[] = {
    {METHOD_GET, "/", get_file, ACCESS_ANYBODY, BODY_SMALL},
    {METHOD_GET, "/:f", get_file, ACCESS_ANYBODY, BODY_SMALL},
    {METHOD_GET, "/pages/:f", get_file, ACCESS_ANYBODY, BODY_SMALL},
    ROUTES_END,
};
