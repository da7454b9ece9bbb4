/* Requests to the HTTP API: paths, queries and JSON bodies against the real routes and handlers.
 *
 * The input is one request after the other, separated by a byte 0x1e, on the same node. Each is a
 * letter for the method (G, P for PUT, O for POST, D), one for who asks (a: administrator,
 * anything else: a user with the tag management), the path to the end of the line, and the body.
 * Whatever comes, each request is answered, and the API still answers afterwards. */
#include "api_play.h"
#include "leveret/base/check.h"

#define REQUESTS_IN_INPUT_MAX 16u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum http_method method_of(uint8_t letter)
{
    return letter == 'P'   ? METHOD_PUT
           : letter == 'O' ? METHOD_POST
           : letter == 'D' ? METHOD_DELETE
                           : METHOD_GET;
}

static void ask(struct api *api, struct bytes request)
{
    struct api_answer answer;
    if (request.len < 2)
        return;
    struct bytes rest = bytes_of(request.at + 2, request.len - 2);
    const uint8_t *line_end = rest.len ? memchr(rest.at, '\n', rest.len) : NULL;
    size_t path_len = line_end ? (size_t)(line_end - rest.at) : rest.len;
    struct bytes body = bytes_of(rest.at + path_len, rest.len - path_len);
    api_ask(api, method_of(request.at[0]), bytes_of(rest.at, path_len), body,
            request.at[1] == 'a' ? "guest" : "visitor", &answer);
    text_free(&answer.body);
}

static void make_visitor(struct api *api)
{
    struct api_answer answer;
    api_ask(api, METHOD_PUT, BYTES_LITERAL("/api/users/visitor"),
            BYTES_LITERAL("{\"password\":\"guest\",\"tags\":\"management\"}"), "guest", &answer);
    CHECK(answer.code == 201);
    text_free(&answer.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api *api = api_new();
    struct bytes left = bytes_of(data, size);
    make_visitor(api);
    for (unsigned n = 0; left.len && n < REQUESTS_IN_INPUT_MAX; n++) {
        const uint8_t *end = memchr(left.at, 0x1e, left.len);
        size_t len = end ? (size_t)(end - left.at) : left.len;
        ask(api, bytes_of(left.at, len));
        len += end != NULL;
        left = bytes_of(left.at + len, left.len - len);
    }
    api_free(&api);
    return 0;
}
