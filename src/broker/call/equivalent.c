/* Comparing a declaration with the object that exists: see equivalent.h. The texts are RabbitMQ's,
 * as those of all refusals. */
#include "broker/call/equivalent.h"

#include "leveret/wire/table.h"

static enum status inequivalent(const struct equivalence *check, const char *key,
                                struct bytes received, struct bytes current)
{
    return refuse(check->refusal, STATUS_PRECONDITION_FAILED,
                  "inequivalent arg '%s' for %s '%.*s' in vhost '%.*s': received %.*s but current "
                  "is %.*s",
                  key, check->kind, BYTES_PRINT(check->name), BYTES_PRINT(check->vhost),
                  BYTES_PRINT(received), BYTES_PRINT(current));
}

enum status equivalent_flag(const struct equivalence *check, const char *key, bool received,
                            bool current)
{
    if (received == current)
        return STATUS_OK;
    return inequivalent(check, key, bytes_of_text(received ? "'true'" : "'false'"),
                        bytes_of_text(current ? "'true'" : "'false'"));
}

enum status equivalent_text(const struct equivalence *check, const char *key, struct bytes received,
                            struct bytes current)
{
    if (bytes_equal(received, current))
        return STATUS_OK;
    struct text a = {0}, b = {0};
    text_printf(&a, "'%.*s'", BYTES_PRINT(received));
    text_printf(&b, "'%.*s'", BYTES_PRINT(current));
    enum status status = inequivalent(check, key, text_bytes(&a), text_bytes(&b));
    text_free(&a);
    text_free(&b);
    return status;
}

/* Appends a value for the text of a refusal; with_type: its type as well, which the text names when
 * the other side has no value. */
static void describe(struct text *out, const struct field *value, bool present, bool with_type)
{
    if (!present) {
        text_printf(out, "none");
        return;
    }
    text_printf(out, with_type ? "the value '" : "'");
    field_print(out, value);
    text_printf(out, "'");
    if (with_type)
        text_printf(out, " of type '%s'", field_type_name(value->type));
}

enum status equivalent_argument(const struct equivalence *check, const char *key,
                                struct bytes received, struct bytes current)
{
    struct field a, b;
    bool have_a = table_find(received, key, &a), have_b = table_find(current, key, &b);
    if (have_a == have_b && (!have_a || field_equal(&a, &b)))
        return STATUS_OK;
    struct text text_a = {0}, text_b = {0};
    describe(&text_a, &a, have_a, !have_b);
    describe(&text_b, &b, have_b, !have_a);
    enum status status = inequivalent(check, key, text_bytes(&text_a), text_bytes(&text_b));
    text_free(&text_a);
    text_free(&text_b);
    return status;
}
