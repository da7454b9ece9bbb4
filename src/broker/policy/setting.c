/* Settings: one table of names, each with its check and its place. See queue_settings.h. */
#include "broker/policy/queue_settings.h"

#include "broker/policy/setting_check.h"
#include "leveret/base/text.h"
#include "leveret/wire/table.h"
#include "leveret/wire/table_sort.h"

#include <stddef.h>

/* The delivery limit of a quorum queue for which neither an argument nor a policy sets one: a
 * message that comes back more often is dead-lettered. Without a dead-letter exchange there is no
 * limit. */
#define QUORUM_DELIVERY_LIMIT 20

/* ---- The table. */

enum setting_kind {
    SETTING_IDLE,   /* no member: the value is checked, and has no effect */
    SETTING_NUMBER, /* uint64_t: of an argument's and a policy's number the lower one counts */
    SETTING_COUNT,  /* unsigned */
    SETTING_TEXT,   /* struct bytes */
    SETTING_WORD,   /* uint8_t, or bool: the index in words */
    SETTING_FLAG,   /* bool */
};

struct setting {
    const char *argument; /* NULL: it is no argument of a queue */
    setting_check *check;
    enum setting_kind kind;
    size_t at;                /* the offset of the member in struct queue_settings */
    const char *const *words; /* of SETTING_WORD */
    /* Policies. */
    const char *policy;          /* the key in a definition; NULL: a policy cannot have it */
    const char *wrong;           /* what follows a refused value: "is not a valid …" */
    bool by_operator;            /* true: an operator policy can have it as well */
    setting_check *policy_check; /* of the value in a policy; NULL: check */
};

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

const struct queue_settings queue_settings_default = {
    .expires_ms = SETTING_NONE,
    .consumer_timeout_ms = SETTING_NONE,
    .message_ttl_ms = SETTING_NONE,
    .max_length = SETTING_NONE,
    .max_length_bytes = SETTING_NONE,
    .delivery_limit = SETTING_NONE,
};

static const struct setting *of_argument(struct bytes key)
{
    for (size_t i = 0; i < SETTING_COUNT_ALL && settings[i].argument; i++)
        if (bytes_equal_text(key, settings[i].argument))
            return &settings[i];
    return NULL;
}

static const struct setting *of_policy(struct bytes key)
{
    for (size_t i = 0; i < SETTING_COUNT_ALL; i++)
        if (settings[i].policy && bytes_equal_text(key, settings[i].policy))
            return &settings[i];
    return NULL;
}

/* A limit as it is compared: a negative number means no limit, so it is above all others. */
static uint64_t limit_of(int64_t value)
{
    return value < 0 ? SETTING_UNLIMITED : (uint64_t)value;
}

/* Writes a checked value into the setting's member. */
static void apply(const struct setting *setting, const struct field *field,
                  struct queue_settings *out)
{
    char *member = (char *)out + setting->at;
    int64_t value = 0;
    uint64_t current, wanted;
    bool number = field_integer(field, &value);
    int word = setting->words ? setting_word(field, setting->words) : 0;
    switch (setting->kind) {
    case SETTING_NUMBER:
        wanted = limit_of(value);
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

void queue_settings_merge(struct bytes arguments, const struct queue_settings *base,
                          struct queue_settings *out)
{
    struct reader at = reader_of(arguments);
    struct bytes key;
    struct field field;
    *out = *base;
    while (table_next(&at, &key, &field)) {
        const struct setting *setting = of_argument(key);
        if (setting)
            apply(setting, &field, out);
    }
    out->delivery_limit_said = out->delivery_limit != SETTING_NONE;
    if (out->type == QUEUE_QUORUM && !out->delivery_limit_said)
        out->delivery_limit =
            out->dead_letter_exchange.at ? QUORUM_DELIVERY_LIMIT : SETTING_UNLIMITED;
}

enum status queue_settings_parse(struct bytes arguments, struct bytes queue, struct bytes vhost,
                                 struct queue_settings *out, struct refusal *refusal)
{
    char why[SETTING_WHY_MAX];
    struct bytes key;
    struct field field;
    struct reader at = reader_of(arguments);
    while (table_next(&at, &key, &field)) {
        const struct setting *setting = of_argument(key);
        if (setting && !setting->check(&field, why))
            return refuse(refusal, STATUS_PRECONDITION_FAILED,
                          "invalid arg '%s' for queue '%.*s' in vhost '%.*s': %s",
                          setting->argument, BYTES_PRINT(queue), BYTES_PRINT(vhost), why);
    }
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
    queue_settings_merge(arguments, &queue_settings_default, out);
    if (out->type == QUEUE_STREAM)
        return refuse(refusal, STATUS_NOT_IMPLEMENTED, "queue type 'stream' of queue '%.*s'",
                      BYTES_PRINT(queue));
    return STATUS_OK;
}

enum status queue_settings_equivalent(const struct equivalence *check, struct bytes received,
                                      struct bytes current)
{
    enum status status = STATUS_OK;
    if (bytes_equal(received, current))
        return status;
    for (size_t i = 0; !status && i < SETTING_COUNT_ALL && settings[i].argument; i++) {
        const char *name = settings[i].argument;
        status = equivalent_argument(check, name, received, current);
    }
    return status;
}

/* ---- Policies. */

/* Whether a policy, or an operator policy, can have this key. */
static bool known(struct bytes key, bool operator_policy)
{
    const struct setting *setting = of_policy(key);
    return setting && (setting->by_operator || !operator_policy);
}

/* Refuses a definition with keys that no policy can have; the text names all of them. */
static enum status refuse_unknown(struct bytes definition, bool operator_policy,
                                  struct refusal *refusal)
{
    struct reader at = reader_of(definition);
    struct bytes key;
    struct field field;
    struct text list = {0};
    while (table_next(&at, &key, &field))
        if (!known(key, operator_policy)) {
            text_printf(&list, "%s{<<\"%.*s\">>,", list.len ? "," : "", BYTES_PRINT(key));
            field_print_term(&list, &field);
            text_printf(&list, "}");
        }
    enum status status = STATUS_OK;
    if (list.len)
        status =
            refuse(refusal, STATUS_PRECONDITION_FAILED, "[%.*s] are not recognised policy settings",
                   BYTES_PRINT(text_bytes(&list)));
    text_free(&list);
    return status;
}

/* Checks the settings of mirrors against each other, though they have no effect. */
static enum status mirrors_make_sense(struct bytes definition, struct refusal *refusal)
{
    static const char *const others[] = {"ha-params", "ha-sync-mode", "ha-sync-batch-size",
                                         "ha-promote-on-shutdown", "ha-promote-on-failure"};
    struct field mode, params;
    int64_t count;
    bool has_mode = table_find(definition, "ha-mode", &mode);
    for (size_t i = 0; !has_mode && i < sizeof others / sizeof *others; i++)
        if (table_find(definition, others[i], &params))
            return refuse(refusal, STATUS_PRECONDITION_FAILED,
                          "ha-mode must be specified to specify ha-params, ha-sync-mode or "
                          "ha-promote-on-shutdown");
    if (!has_mode)
        return STATUS_OK;
    bool has_params = table_find(definition, "ha-params", &params);
    if (bytes_equal_text(mode.value.bytes, "exactly") &&
        !(has_params && field_integer(&params, &count)))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "ha-mode=\"exactly\" takes an integer, %s given",
                      has_params ? "something else" : "none");
    if (bytes_equal_text(mode.value.bytes, "nodes") && !(has_params && params.type == FIELD_ARRAY))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "ha-mode=\"nodes\" takes a list, %s given",
                      has_params ? "something else" : "none");
    return STATUS_OK;
}

enum status policy_definition_check(struct bytes definition, bool operator_policy,
                                    struct refusal *refusal)
{
    struct reader at = reader_of(definition);
    struct bytes key;
    struct field field;
    char why[SETTING_WHY_MAX];
    if (definition.len == 0)
        return refuse(refusal, STATUS_PRECONDITION_FAILED, "no policy provided");
    while (table_next(&at, &key, &field)) {
        const struct setting *setting = of_policy(key);
        if (!setting || !known(key, operator_policy))
            continue;
        setting_check *check = setting->policy_check ? setting->policy_check : setting->check;
        if (check(&field, why))
            continue;
        struct text value = {0};
        field_print_term(&value, &field);
        enum status status = refuse(refusal, STATUS_PRECONDITION_FAILED, "%.*s %s",
                                    BYTES_PRINT(text_bytes(&value)), setting->wrong);
        text_free(&value);
        return status;
    }
    enum status status = mirrors_make_sense(definition, refusal);
    return status ? status : refuse_unknown(definition, operator_policy, refusal);
}

#define NOT_CLASSIC (1u << QUEUE_CLASSIC)
#define NOT_QUORUM  (1u << QUEUE_QUORUM)
#define NOT_STREAM  (1u << QUEUE_STREAM)

unsigned policy_definition_excludes(struct bytes definition)
{
    static const struct {
        const char *key;
        unsigned types;
    } known[] = {
        {"expires", NOT_STREAM},
        {"message-ttl", NOT_STREAM},
        {"max-length", NOT_STREAM},
        {"max-in-memory-length", NOT_STREAM},
        {"max-in-memory-bytes", NOT_STREAM},
        {"overflow", NOT_STREAM},
        {"dead-letter-exchange", NOT_STREAM},
        {"dead-letter-routing-key", NOT_STREAM},
        {"dead-letter-strategy", NOT_STREAM | NOT_CLASSIC},
        {"delivery-limit", NOT_STREAM | NOT_CLASSIC},
        {"consumer-disconnected-timeout", NOT_STREAM | NOT_CLASSIC},
        {"target-group-size", NOT_STREAM | NOT_CLASSIC},
        {"delayed-retry-type", NOT_STREAM | NOT_CLASSIC},
        {"queue-version", NOT_STREAM | NOT_QUORUM},
        {"queue-mode", NOT_STREAM | NOT_QUORUM},
        {"queue-master-locator", NOT_STREAM | NOT_QUORUM},
        {"ha-mode", NOT_STREAM | NOT_QUORUM},
        {"max-age", NOT_CLASSIC | NOT_QUORUM},
        {"stream-max-segment-size-bytes", NOT_CLASSIC | NOT_QUORUM},
        {"stream-filter-size-bytes", NOT_CLASSIC | NOT_QUORUM},
        {"initial-cluster-size", NOT_CLASSIC | NOT_QUORUM},
        {"queue-leader-locator", NOT_CLASSIC},
    };
    unsigned types = 0;
    struct field field;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (table_find(definition, known[i].key, &field))
            types |= known[i].types;
    return types;
}

/* Whether the value of the policy counts for a key that the operator policy has, too. Of two limits
 * the lower counts, of two group sizes the larger, and of other values the operator policy's. */
static bool policy_counts(struct bytes key, const struct field *policy,
                          const struct field *operator_policy)
{
    int64_t mine, other;
    if (!field_integer(policy, &mine) || !field_integer(operator_policy, &other))
        return false;
    if (bytes_equal_text(key, "target-group-size"))
        return mine > other;
    return !bytes_equal_text(key, "queue-version") && limit_of(mine) < limit_of(other);
}

void policy_definition_merge(struct bytes policy, struct bytes operator_policy, struct text *out)
{
    struct text both = {0}, scratch = {0};
    struct reader at = reader_of(policy);
    struct bytes key;
    struct field mine, limit;
    while (table_next(&at, &key, &mine)) {
        bool limited = table_find_bytes(operator_policy, key, &limit);
        table_put_field(&both, key, limited && !policy_counts(key, &mine, &limit) ? &limit : &mine);
    }
    at = reader_of(operator_policy);
    while (table_next(&at, &key, &limit))
        if (!table_find_bytes(policy, key, &mine))
            table_put_field(&both, key, &limit);
    text_add_bytes(out, table_sorted(text_bytes(&both), &scratch));
    text_free(&both);
    text_free(&scratch);
}

void policy_definition_settings(struct bytes definition, struct queue_settings *out)
{
    struct reader at = reader_of(definition);
    struct bytes key;
    struct field field;
    *out = queue_settings_default;
    while (table_next(&at, &key, &field)) {
        const struct setting *setting = of_policy(key);
        if (setting)
            apply(setting, &field, out);
    }
}
