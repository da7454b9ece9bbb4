/* Copying a message with other headers: see rewrite.h. */
#include "leveret/wire/rewrite.h"

#include "leveret/wire/table.h"

bool rewrite_begin(struct rewrite *rewrite, const struct message *message)
{
    rewrite->headers = (struct text){0};
    return properties_decode(message_properties(message), &rewrite->properties) == STATUS_OK;
}

static bool is_among(struct bytes key, const char *const *keys)
{
    for (; *keys; keys++)
        if (bytes_equal_text(key, *keys))
            return true;
    return false;
}

void rewrite_keep(struct rewrite *rewrite, const char *const *dropped)
{
    struct bytes key;
    struct field field;
    struct reader at = reader_of(rewrite->properties.headers);
    while (table_next(&at, &key, &field))
        if (!is_among(key, dropped))
            table_put_field(&rewrite->headers, key, &field);
}

struct message *rewrite_end(struct rewrite *rewrite, const struct message *message)
{
    struct text encoded = {0};
    rewrite->properties.headers = text_bytes(&rewrite->headers);
    rewrite->properties.present |= PROPERTY_HEADERS;
    properties_encode(&rewrite->properties, &encoded);
    struct message *copy = message_with_properties(message, text_bytes(&encoded));
    text_free(&rewrite->headers);
    text_free(&encoded);
    if (copy)
        copy->has_headers = true;
    return copy;
}
