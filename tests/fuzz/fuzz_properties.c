/* Content headers and properties: a list that is taken has one encoding only, the one that came. */
#include "leveret/base/check.h"
#include "leveret/wire/properties.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct content_header header;
    struct properties properties;
    struct text again = {0};

    if (properties_header_decode(bytes_of(data, size), &header) != STATUS_OK)
        return 0;
    CHECK(header.properties.at == data + 12 && header.properties.len == size - 12);
    if (properties_decode(header.properties, &properties) != STATUS_OK)
        return 0;
    properties_encode(&properties, &again);
    CHECK(bytes_equal(header.properties, text_bytes(&again)));
    text_free(&again);
    return 0;
}
