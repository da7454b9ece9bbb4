/* Definitions of policies: see policy_definition.h. */
#include "broker/policy/policy_definition.h"

#include "broker/policy/setting.h"
#include "leveret/base/text.h"
#include "leveret/wire/table.h"
#include "leveret/wire/table_sort.h"

/* Whether a policy, or an operator policy, can have this key. */
static bool known(struct bytes key, bool operator_policy)
{
    const struct setting *setting = setting_of_policy(key);
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
        const struct setting *setting = setting_of_policy(key);
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
    return !bytes_equal_text(key, "queue-version") && setting_limit(mine) < setting_limit(other);
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
        const struct setting *setting = setting_of_policy(key);
        if (setting)
            setting_apply(setting, &field, out);
    }
}
