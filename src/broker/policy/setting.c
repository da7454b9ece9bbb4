/* The table of settings: see setting.h. */
#include "broker/policy/setting.h"

#include <stddef.h>

#define MEMBER(name)         offsetof(struct queue_settings, name)
#define NUMBER(name)         SETTING_NUMBER, MEMBER(name), NULL
#define COUNT(name)          SETTING_COUNT, MEMBER(name), NULL
#define TEXT(name)           SETTING_TEXT, MEMBER(name), NULL
#define WORD(name, words)    SETTING_WORD, MEMBER(name), words
#define FLAG(name)           SETTING_FLAG, MEMBER(name), NULL
#define IDLE                 SETTING_IDLE, 0, NULL
#define NO_POLICY            NULL, NULL, false, NULL
#define POLICY(key, wrong)   key, wrong, false, NULL
#define OPERATOR(key, wrong) key, wrong, true, NULL

/* clang-format off */
static const struct setting settings[] = {
    {"x-expires", setting_check_duration_not_zero, NUMBER(expires_ms), OPERATOR("expires", "is not a valid queue expiry")},
    {"x-message-ttl", setting_check_duration, NUMBER(message_ttl_ms), OPERATOR("message-ttl", "is not a valid message TTL")},
    {"x-max-length", setting_check_not_negative, NUMBER(max_length), OPERATOR("max-length", "is not a valid maximum length")},
    {"x-max-length-bytes", setting_check_not_negative, NUMBER(max_length_bytes),
     OPERATOR("max-length-bytes", "is not a valid maximum length in bytes")},
    {"x-overflow", setting_check_overflow, WORD(overflow, setting_overflow_words), OPERATOR("overflow", "is not a valid overflow value")},
    {"x-dead-letter-exchange", setting_check_any, TEXT(dead_letter_exchange),
     "dead-letter-exchange", "is not a valid dead letter exchange name", false, setting_check_string},
    {"x-dead-letter-routing-key", setting_check_routing_key, TEXT(dead_letter_routing_key),
     POLICY("dead-letter-routing-key", "is not a valid dead letter routing key")},
    {"x-dead-letter-strategy", setting_check_dead_letter_strategy, WORD(at_least_once, setting_strategy_words),
     POLICY("dead-letter-strategy", "is not a valid dead letter strategy")},
    {"x-max-priority", setting_check_priority, COUNT(max_priority), NO_POLICY},
    {"x-single-active-consumer", setting_check_boolean, FLAG(single_active_consumer), NO_POLICY},
    {"x-delivery-limit", setting_check_integer, NUMBER(delivery_limit),
     OPERATOR("delivery-limit", "is not a valid delivery limit")},
    {"x-queue-type", setting_check_queue_type, WORD(type, setting_type_words), NO_POLICY},
    {"x-queue-mode", setting_check_any, IDLE, "queue-mode", "is not a valid queue-mode value", false, setting_check_queue_mode},
    {"x-queue-version", setting_check_version, IDLE, OPERATOR("queue-version", "is not a valid queue-version value")},
    {"x-consumer-timeout", setting_check_not_negative, NUMBER(consumer_timeout_ms),
     POLICY("consumer-timeout", "is not a valid consumer timeout")},
    /* The values of these are checked when a queue is declared (queue_settings_allowed.c). They have no effect:
     * a queue is on this node alone, and paging decides which of its messages are in memory. */
    {"x-consumer-disconnected-timeout", setting_check_any, IDLE,
     "consumer-disconnected-timeout", "is not a valid consumer disconnected timeout", false, setting_check_not_negative},
    {"x-quorum-initial-group-size", setting_check_any, IDLE, NO_POLICY},
    {"x-queue-leader-locator", setting_check_any, IDLE,
     "queue-leader-locator", "is not a valid queue leader locator value", false, setting_check_leader_locator},
    {"x-max-in-memory-length", setting_check_any, IDLE,
     "max-in-memory-length", "is not a valid maximum memory in bytes", true, setting_check_not_negative},
    {"x-max-in-memory-bytes", setting_check_any, IDLE,
     "max-in-memory-bytes", "is not a valid maximum memory in bytes", true, setting_check_not_negative},
    /* Delayed retry, which can be switched off alone. */
    {"x-delayed-retry-type", setting_check_any, IDLE,
     "delayed-retry-type", "is not a delayed retry type that is supported: only disabled is", true, setting_check_no_retry},
    {"x-delayed-retry-min", setting_check_any, IDLE,
     "delayed-retry-min", "is not taken as delayed-retry-min: delayed retry is not supported", true, setting_check_never},
    {"x-delayed-retry-max", setting_check_any, IDLE,
     "delayed-retry-max", "is not taken as delayed-retry-max: delayed retry is not supported", true, setting_check_never},
    /* Deduplication: read in dedup/dedup.c. */
    {"x-message-deduplication", setting_check_boolean, IDLE, NO_POLICY},
    {"x-cache-size", setting_check_cache_bound, IDLE, NO_POLICY},
    {"x-cache-ttl", setting_check_cache_bound, IDLE, NO_POLICY},
    {"x-deduplication-header", setting_check_string, IDLE, NO_POLICY},
    /* Keys of policies that are no arguments. */
    {NULL, setting_check_not_negative, IDLE, OPERATOR("target-group-size", "is not a valid qq target count value")},
    {NULL, setting_check_filter_size, IDLE,
     POLICY("stream-filter-size-bytes", "is not a valid filter size. Valid range is 16-255")},
    {NULL, setting_check_age, IDLE, POLICY("max-age", "is not a valid max age")},
    {NULL, setting_check_positive, IDLE, POLICY("stream-max-segment-size-bytes", "is not a valid segment size")},
    {NULL, setting_check_not_negative, IDLE, POLICY("initial-cluster-size", "is not a valid cluster size")},
    {NULL, setting_check_master_locator, IDLE, POLICY("queue-master-locator", "invalid queue-master-locator value")},
    {NULL, setting_check_mirrors, IDLE, POLICY("ha-mode", "is not a valid ha-mode value")},
    {NULL, setting_check_any, IDLE, POLICY("ha-params", "is not a valid ha-params value")},
    {NULL, setting_check_synchronisation, IDLE, POLICY("ha-sync-mode", "is not a valid ha-sync-mode value")},
    {NULL, setting_check_positive, IDLE, POLICY("ha-sync-batch-size", "is not a valid ha-sync-batch-size value")},
    {NULL, setting_check_promotion, IDLE, POLICY("ha-promote-on-shutdown", "is not a valid ha-promote-on-shutdown value")},
    {NULL, setting_check_promotion, IDLE, POLICY("ha-promote-on-failure", "is not a valid ha-promote-on-failure value")},
    /* A setting of exchanges: see effective_policy.alternate. */
    {NULL, setting_check_string, IDLE, POLICY("alternate-exchange", "is not a valid alternate exchange name")},
};
/* clang-format on */
#define SETTING_COUNT_ALL (sizeof settings / sizeof *settings)

const struct setting *setting_at(size_t index)
{
    return index < SETTING_COUNT_ALL ? &settings[index] : NULL;
}

const struct setting *setting_of_argument(struct bytes key)
{
    for (size_t i = 0; i < SETTING_COUNT_ALL && settings[i].argument; i++)
        if (bytes_equal_text(key, settings[i].argument))
            return &settings[i];
    return NULL;
}

const struct setting *setting_of_policy(struct bytes key)
{
    for (size_t i = 0; i < SETTING_COUNT_ALL; i++)
        if (settings[i].policy && bytes_equal_text(key, settings[i].policy))
            return &settings[i];
    return NULL;
}

uint64_t setting_limit(int64_t value)
{
    return value < 0 ? SETTING_UNLIMITED : (uint64_t)value;
}

void setting_apply(const struct setting *setting, const struct field *field,
                   struct queue_settings *out)
{
    char *member = (char *)out + setting->at;
    int64_t value = 0;
    uint64_t current, wanted;
    bool number = field_integer(field, &value);
    int word = setting->words ? setting_word(field, setting->words) : 0;
    switch (setting->kind) {
    case SETTING_NUMBER:
        wanted = setting_limit(value);
        memcpy(&current, member, sizeof current);
        if (number && wanted < current)
            memcpy(member, &wanted, sizeof wanted);
        break;
    case SETTING_COUNT:
        memcpy(member, &(unsigned){(unsigned)value}, sizeof(unsigned));
        break;
    case SETTING_TEXT:
        if (field->type == FIELD_STRING)
            memcpy(member, &field->value.bytes, sizeof field->value.bytes);
        break;
    case SETTING_WORD:
        if (word >= 0)
            *member = (char)word;
        break;
    case SETTING_FLAG:
        *member = field->value.integer != 0;
        break;
    case SETTING_IDLE:
        break;
    }
}
