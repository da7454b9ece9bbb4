/* Methods: what is read can be written and read again to the same. */
#include <stdlib.h>

#include "leveret/base/check.h"
#include "leveret/wire/method.h"
#include "wire_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct method method, again;

    if (method_decode(bytes_of(data, size), &method) != STATUS_OK)
        return 0;
    CHECK(bytes_equal_text(bytes_of_text(method_name(method.id)), "unknown") == false);
    (void)method_has_content(method.id);
    (void)method_expects_reply(method.id);
    CHECK(method_from_client(method.id) || method_from_server(method.id));

    /* Reserved strings are written empty: never longer than what was read. */
    uint8_t *encoded = malloc(size);
    CHECK(encoded);
    size_t len = method_encode(&method, encoded, size);
    CHECK(len > 0 && len <= size);
    CHECK(method_decode(bytes_of(encoded, len), &again) == STATUS_OK);
    CHECK(methods_same(&method, &again));
    CHECK(method_encode(&method, encoded, len - 1) == 0);
    free(encoded);
    return 0;
}
