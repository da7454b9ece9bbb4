/* Part of setting (setting.h): checks of values, see setting_check.h. The explanations are in
 * RabbitMQ's words. */
#include "broker/policy/setting_check.h"

#include "broker/topology/dedup_arguments.h"

#include <inttypes.h>
#include <stdio.h>

/* The longest time that a queue argument can have, as in RabbitMQ: ten years. A longer one is
 * refused. */
#define DURATION_MS_MAX INT64_C(315360000000)
/* The highest x-max-priority; a higher one is refused. */
#define PRIORITY_MAX 255

static bool is_integer(const struct field *field, int64_t *value, char why[SETTING_WHY_MAX])
{
    if (field_integer(field, value))
        return true;
    snprintf(why, SETTING_WHY_MAX, "\"expected integer, got %s\"", field_type_name(field->type));
    return false;
}

bool setting_check_not_negative(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    if (!is_integer(field, &value, why))
        return false;
    if (value < 0)
        snprintf(why, SETTING_WHY_MAX, "{value_negative,%" PRId64 "}", value);
    return value >= 0;
}

bool setting_check_duration(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    if (!setting_check_not_negative(field, why) || !field_integer(field, &value))
        return false;
    if (value > DURATION_MS_MAX)
        snprintf(why, SETTING_WHY_MAX, "{value_too_large,%" PRId64 "}", value);
    return value <= DURATION_MS_MAX;
}

bool setting_check_duration_not_zero(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    if (field_integer(field, &value) && value == 0) {
        snprintf(why, SETTING_WHY_MAX, "{value_zero,0}");
        return false;
    }
    return setting_check_duration(field, why);
}

bool setting_check_integer(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    return is_integer(field, &value, why);
}

bool setting_check_priority(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    if (!setting_check_not_negative(field, why) || !field_integer(field, &value))
        return false;
    if (value > PRIORITY_MAX)
        snprintf(why, SETTING_WHY_MAX, "{max_value_exceeded,%" PRId64 "}", value);
    return value <= PRIORITY_MAX;
}

/* The number of nodes in a group: at least 1. */
bool setting_check_group_size(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    if (field_integer(field, &value) && value == 0) {
        snprintf(why, SETTING_WHY_MAX, "{value_zero,0}");
        return false;
    }
    return setting_check_not_negative(field, why);
}

/* The size of a stream's filter, in bytes. */
bool setting_check_filter_size(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    return is_integer(field, &value, why) && value >= 16 && value <= 255;
}

bool setting_check_string(const struct field *field, char why[SETTING_WHY_MAX])
{
    if (field->type == FIELD_STRING)
        return true;
    snprintf(why, SETTING_WHY_MAX, "{unacceptable_type,%s}", field_type_name(field->type));
    return false;
}

/* A routing key, at most as long as a delivered message can have. */
bool setting_check_routing_key(const struct field *field, char why[SETTING_WHY_MAX])
{
    if (!setting_check_string(field, why))
        return false;
    if (field->value.bytes.len > NAME_BYTES_MAX)
        snprintf(why, SETTING_WHY_MAX, "{value_too_long,%zu}", field->value.bytes.len);
    return field->value.bytes.len <= NAME_BYTES_MAX;
}

bool setting_check_any(const struct field *field, char why[SETTING_WHY_MAX])
{
    (void)field;
    (void)why;
    return true;
}

bool setting_check_boolean(const struct field *field, char why[SETTING_WHY_MAX])
{
    if (field->type == FIELD_BOOL)
        return true;
    snprintf(why, SETTING_WHY_MAX, "{unacceptable_type,%s}", field_type_name(field->type));
    return false;
}

/* In the order of their enums. */
const char *const setting_overflow_words[] = {"drop-head", "reject-publish", "reject-publish-dlx",
                                              NULL};
const char *const setting_strategy_words[] = {"at-most-once", "at-least-once", NULL};
const char *const setting_type_words[] = {"classic", "quorum", "stream", NULL};

int setting_word(const struct field *field, const char *const *words)
{
    for (int i = 0; field->type == FIELD_STRING && words[i]; i++)
        if (bytes_equal_text(field->value.bytes, words[i]))
            return i;
    return -1;
}

static bool one_of(const struct field *field, const char *const *words)
{
    return setting_word(field, words) >= 0;
}

/* Writes "unsupported queue type 'x'" (what: "queue type"), and returns false. */
static bool unsupported(const char *what, const struct field *field, char why[SETTING_WHY_MAX])
{
    size_t len = field->value.bytes.len > 64 ? 64 : field->value.bytes.len;
    snprintf(why, SETTING_WHY_MAX, "\"unsupported %s '%.*s'\"", what, (int)len,
             (const char *)field->value.bytes.at);
    return false;
}

bool setting_check_overflow(const struct field *field, char why[SETTING_WHY_MAX])
{
    if (!setting_check_string(field, why))
        return false;
    snprintf(why, SETTING_WHY_MAX, "invalid_overflow");
    return one_of(field, setting_overflow_words);
}

/* An empty string is accepted, and means classic, also when the vhost has another default. */
bool setting_check_queue_type(const struct field *field, char why[SETTING_WHY_MAX])
{
    return setting_check_string(field, why) &&
           (field->value.bytes.len == 0 || one_of(field, setting_type_words) ||
            unsupported("queue type", field, why));
}

/* The key queue-mode of policies; the argument x-queue-mode may have any value. */
bool setting_check_queue_mode(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"default", "lazy", NULL};
    return setting_check_string(field, why) && one_of(field, words);
}

bool setting_check_dead_letter_strategy(const struct field *field, char why[SETTING_WHY_MAX])
{
    if (!setting_check_string(field, why))
        return false;
    snprintf(why, SETTING_WHY_MAX, "invalid_dlx_strategy");
    return one_of(field, setting_strategy_words);
}

bool setting_check_cache_bound(const struct field *field, char why[SETTING_WHY_MAX])
{
    uint64_t number;
    snprintf(why, SETTING_WHY_MAX, "must be an integer greater than 0");
    return dedup_number(field, &number);
}

/* ---- Policies only. */

bool setting_check_positive(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    return is_integer(field, &value, why) && value > 0;
}

bool setting_check_version(const struct field *field, char why[SETTING_WHY_MAX])
{
    int64_t value;
    if (!is_integer(field, &value, why))
        return false;
    snprintf(why, SETTING_WHY_MAX, "\"unsupported queue version '%" PRId64 "'\"", value);
    return value == 1 || value == 2;
}

/* A number and one of RabbitMQ's units: "7D", "12h". */
bool setting_check_age(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char units[] = "YMDhms";
    if (!setting_check_string(field, why))
        return false;
    struct bytes text = field->value.bytes;
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.len > 1 && memchr(units, text.at[text.len - 1], sizeof units - 1);
}

bool setting_check_leader_locator(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"client-local", "balanced", "random", "least-leaders",
                                        NULL};
    if (!setting_check_string(field, why))
        return false;
    snprintf(why, SETTING_WHY_MAX, "invalid_queue_locator_arg");
    return one_of(field, words);
}

bool setting_check_master_locator(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"client-local", "min-masters", "random", NULL};
    return setting_check_string(field, why) && one_of(field, words);
}

bool setting_check_mirrors(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"all", "exactly", "nodes", NULL};
    return setting_check_string(field, why) && one_of(field, words);
}

bool setting_check_synchronisation(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"manual", "automatic", NULL};
    return setting_check_string(field, why) && one_of(field, words);
}

bool setting_check_promotion(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"always", "when-synced", NULL};
    return setting_check_string(field, why) && one_of(field, words);
}

bool setting_check_no_retry(const struct field *field, char why[SETTING_WHY_MAX])
{
    static const char *const words[] = {"disabled", NULL};
    return setting_check_string(field, why) && one_of(field, words);
}

bool setting_check_never(const struct field *field, char why[SETTING_WHY_MAX])
{
    (void)field;
    (void)why;
    return false;
}
