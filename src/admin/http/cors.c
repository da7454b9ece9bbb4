/* Cross-origin requests: https://fetch.spec.whatwg.org/#http-cors-protocol. The question that a
 * browser asks before (OPTIONS) needs no login, and tells nothing. */
#include "admin/http/cors.h"

#include <string.h>

#include "admin/http/request.h"

static bool is_allowed(const struct admin_options *options, const char *origin)
{
    for (const char *const *allowed = options->cors_origins; *allowed; allowed++)
        if (strcmp(*allowed, "*") == 0 || strcmp(*allowed, origin) == 0)
            return true;
    return false;
}

void cors_write(const struct admin_options *options, const struct request *request,
                struct text *out)
{
    if (!request->origin || !is_allowed(options, request->origin))
        return;
    text_printf(out,
                "Access-Control-Allow-Origin: %s\r\nAccess-Control-Allow-Credentials: true\r\n",
                request->origin);
    if (request->method == METHOD_OPTIONS)
        text_printf(out,
                    "Access-Control-Allow-Methods: HEAD, GET, POST, PUT, DELETE\r\n"
                    "Access-Control-Allow-Headers: Authorization, Content-Type, X-Reason\r\n"
                    "Access-Control-Max-Age: %u\r\n",
                    options->cors_max_age_s);
}
