/* Queue arguments: one table of names, each with its check. See settings.h. */
#include "settings.h"

#include "leveret/base/text.h"
#include "leveret/wire/table.h"

#include <inttypes.h>
#include <stdio.h>

/* The longest time that a queue argument can say, as in RabbitMQ: ten years. */
#define DURATION_MS_MAX INT64_C(315360000000)
#define PRIORITY_MAX    255
#define WHY_MAX         128

/* Writes into why what is wrong with the value, in RabbitMQ's words, and returns false. */
typedef bool argument_check(const struct field *field, char why[WHY_MAX]);

static bool is_integer(const struct field *field, int64_t *value, char why[WHY_MAX])
{
    if (field_integer(field, value))
        return true;
    snprintf(why, WHY_MAX, "\"expected integer, got %s\"", field_type_name(field->type));
    return false;
}

static bool not_negative(const struct field *field, char why[WHY_MAX])
{
    int64_t value;
    if (!is_integer(field, &value, why))
        return false;
    if (value < 0)
        snprintf(why, WHY_MAX, "{value_negative,%" PRId64 "}", value);
    return value >= 0;
}

static bool duration(const struct field *field, char why[WHY_MAX])
{
    int64_t value;
    if (!not_negative(field, why) || !field_integer(field, &value))
        return false;
    if (value > DURATION_MS_MAX)
        snprintf(why, WHY_MAX, "{value_too_large,%" PRId64 "}", value);
    return value <= DURATION_MS_MAX;
}

static bool duration_not_zero(const struct field *field, char why[WHY_MAX])
{
    int64_t value;
    if (field_integer(field, &value) && value == 0) {
        snprintf(why, WHY_MAX, "{value_zero,0}");
        return false;
    }
    return duration(field, why);
}

static bool priority(const struct field *field, char why[WHY_MAX])
{
    int64_t value;
    if (!not_negative(field, why) || !field_integer(field, &value))
        return false;
    if (value > PRIORITY_MAX)
        snprintf(why, WHY_MAX, "{max_value_exceeded,%" PRId64 "}", value);
    return value <= PRIORITY_MAX;
}

static bool string(const struct field *field, char why[WHY_MAX])
{
    if (field->type == FIELD_STRING)
        return true;
    snprintf(why, WHY_MAX, "{unacceptable_type,%s}", field_type_name(field->type));
    return false;
}

/* A message with a longer one could not be delivered. */
static bool routing_key(const struct field *field, char why[WHY_MAX])
{
    if (!string(field, why))
        return false;
    if (field->value.bytes.len > UINT8_MAX)
        snprintf(why, WHY_MAX, "{value_too_long,%zu}", field->value.bytes.len);
    return field->value.bytes.len <= UINT8_MAX;
}

/* Checked elsewhere; here to be compared when a queue is declared again. */
static bool any(const struct field *field, char why[WHY_MAX])
{
    (void)field;
    (void)why;
    return true;
}

static bool boolean(const struct field *field, char why[WHY_MAX])
{
    if (field->type == FIELD_BOOL)
        return true;
    snprintf(why, WHY_MAX, "{unacceptable_type,%s}", field_type_name(field->type));
    return false;
}

static bool one_of(const struct field *field, const char *const *words)
{
    for (; *words; words++)
        if (bytes_equal_text(field->value.bytes, *words))
            return true;
    return false;
}

/* "unsupported queue type 'x'" */
static bool unsupported(const char *what, const struct field *field, char why[WHY_MAX])
{
    size_t len = field->value.bytes.len > 64 ? 64 : field->value.bytes.len;
    snprintf(why, WHY_MAX, "\"unsupported %s '%.*s'\"", what, (int)len,
             (const char *)field->value.bytes.at);
    return false;
}

static bool overflow(const struct field *field, char why[WHY_MAX])
{
    static const char *const words[] = {"drop-head", "reject-publish", "reject-publish-dlx", NULL};
    if (!string(field, why))
        return false;
    snprintf(why, WHY_MAX, "invalid_overflow");
    return one_of(field, words);
}

static bool queue_type(const struct field *field, char why[WHY_MAX])
{
    static const char *const words[] = {"classic", "quorum", "stream", NULL};
    return string(field, why) && (one_of(field, words) || unsupported("queue type", field, why));
}

static bool queue_mode(const struct field *field, char why[WHY_MAX])
{
    static const char *const words[] = {"default", "lazy", NULL};
    return string(field, why) && (one_of(field, words) || unsupported("queue mode", field, why));
}

static bool dead_letter_strategy(const struct field *field, char why[WHY_MAX])
{
    static const char *const words[] = {"at-most-once", "at-least-once", NULL};
    return string(field, why) &&
           (one_of(field, words) || unsupported("dead letter strategy", field, why));
}

static const struct {
    const char *name;
    argument_check *check;
} arguments_known[] = {
    {"x-expires", duration_not_zero},
    {"x-message-ttl", duration},
    {"x-max-length", not_negative},
    {"x-max-length-bytes", not_negative},
    {"x-overflow", overflow},
    {"x-dead-letter-exchange", any},
    {"x-dead-letter-routing-key", routing_key},
    {"x-dead-letter-strategy", dead_letter_strategy},
    {"x-max-priority", priority},
    {"x-single-active-consumer", boolean},
    {"x-delivery-limit", not_negative},
    {"x-queue-type", queue_type},
    {"x-queue-mode", queue_mode},
    {"x-consumer-timeout", not_negative},
};
#define ARGUMENTS_KNOWN (sizeof arguments_known / sizeof *arguments_known)

static uint64_t number_or_none(struct bytes arguments, const char *name)
{
    struct field field;
    int64_t value;
    if (table_find(arguments, name, &field) && field_integer(&field, &value))
        return (uint64_t)value;
    return SETTING_NONE;
}

/* The value of a string, at NULL when there is none. */
static struct bytes string_or_none(struct bytes arguments, const char *name)
{
    struct field field;
    if (table_find(arguments, name, &field) && field.type == FIELD_STRING)
        return field.value.bytes;
    return (struct bytes){0};
}

static enum overflow read_overflow(struct bytes arguments)
{
    struct bytes word = string_or_none(arguments, "x-overflow");
    if (bytes_equal_text(word, "reject-publish"))
        return OVERFLOW_REJECT_PUBLISH;
    if (bytes_equal_text(word, "reject-publish-dlx"))
        return OVERFLOW_REJECT_PUBLISH_DLX;
    return OVERFLOW_DROP_HEAD;
}

static void read_limits(struct bytes arguments, struct queue_settings *out)
{
    out->max_length = number_or_none(arguments, "x-max-length");
    out->max_length_bytes = number_or_none(arguments, "x-max-length-bytes");
    out->overflow = read_overflow(arguments);
}

static void read_dead_letters(struct bytes arguments, struct queue_settings *out)
{
    out->dead_letter_exchange = string_or_none(arguments, "x-dead-letter-exchange");
    out->dead_letter_routing_key = string_or_none(arguments, "x-dead-letter-routing-key");
    out->at_least_once =
        bytes_equal_text(string_or_none(arguments, "x-dead-letter-strategy"), "at-least-once");
}

enum status queue_settings_parse(struct bytes arguments, struct bytes queue, struct bytes vhost,
                                 struct queue_settings *out, struct refusal *refusal)
{
    char why[WHY_MAX];
    struct field field;
    for (size_t i = 0; arguments.len && i < ARGUMENTS_KNOWN; i++)
        if (table_find(arguments, arguments_known[i].name, &field) &&
            !arguments_known[i].check(&field, why))
            return refuse(refusal, STATUS_PRECONDITION_FAILED,
                          "invalid arg '%s' for queue '%.*s' in vhost '%.*s': %s",
                          arguments_known[i].name, BYTES_PRINT(queue), BYTES_PRINT(vhost), why);
    if (table_find(arguments, "x-dead-letter-exchange", &field) && field.type != FIELD_STRING)
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "invalid type '%s' for arg 'x-dead-letter-exchange' in queue '%.*s' in vhost "
                      "'%.*s'",
                      field_type_name(field.type), BYTES_PRINT(queue), BYTES_PRINT(vhost));
    if (table_find(arguments, "x-dead-letter-routing-key", &field) &&
        !table_find(arguments, "x-dead-letter-exchange", &field))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "invalid arg 'x-dead-letter-routing-key' for queue '%.*s' in vhost '%.*s': "
                      "routing_key_but_no_dlx_defined",
                      BYTES_PRINT(queue), BYTES_PRINT(vhost));
    if (table_find(arguments, "x-queue-type", &field) &&
        bytes_equal_text(field.value.bytes, "stream"))
        return refuse(refusal, STATUS_NOT_IMPLEMENTED, "queue type 'stream' of queue '%.*s'",
                      BYTES_PRINT(queue));
    out->expires_ms = number_or_none(arguments, "x-expires");
    out->consumer_timeout_ms = number_or_none(arguments, "x-consumer-timeout");
    out->message_ttl_ms = number_or_none(arguments, "x-message-ttl");
    uint64_t max_priority = number_or_none(arguments, "x-max-priority");
    out->max_priority = max_priority == SETTING_NONE ? 0 : (unsigned)max_priority;
    read_limits(arguments, out);
    read_dead_letters(arguments, out);
    return STATUS_OK;
}

/* classic is what a queue is that says nothing. */
static bool both_classic(struct bytes received, struct bytes current)
{
    struct field field;
    return (!table_find(received, "x-queue-type", &field) ||
            bytes_equal_text(field.value.bytes, "classic")) &&
           (!table_find(current, "x-queue-type", &field) ||
            bytes_equal_text(field.value.bytes, "classic"));
}

enum status queue_settings_equivalent(const struct equivalence *check, struct bytes received,
                                      struct bytes current)
{
    enum status status = STATUS_OK;
    if (received.len == 0 && current.len == 0)
        return status;
    for (size_t i = 0; !status && i < ARGUMENTS_KNOWN; i++) {
        const char *name = arguments_known[i].name;
        if (strcmp(name, "x-queue-type") == 0 && both_classic(received, current))
            continue;
        status = equivalent_argument(check, name, received, current);
    }
    return status;
}
