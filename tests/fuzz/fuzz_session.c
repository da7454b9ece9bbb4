/* A whole session: bytes in, no socket. The input is cut into reads where it says so, and goes to
 * one client, either raw from the first byte or after a proper handshake, with a second client that
 * consumes. Nothing is compared: the sanitizers and the assertions are the judges. */
#include "../unit/session_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct harness *h = harness_new();
    struct connection *client = harness_connect(h);
    if (data[0] & 1)
        harness_log_in(h, client);
    size_t piece = 1 + data[1] * 2u;
    struct bytes left = bytes_of(data + 2, size - 2);
    while (left.len && !harness_closed(client)) {
        size_t n = left.len < piece ? left.len : piece;
        harness_feed(h, client, bytes_of(left.at, n));
        left.at += n;
        left.len -= n;
        text_free(harness_output(client));
    }
    harness_free(&h);
    return 0;
}
