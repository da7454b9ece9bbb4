/* Settings of a queue from its arguments: see queue_settings.h. */
#include "broker/policy/queue_settings.h"

#include "broker/policy/setting.h"

/* The delivery limit of a quorum queue for which neither an argument nor a policy sets one: a
 * message that comes back more often is dead-lettered. Without a dead-letter exchange there is no
 * limit. */
#define QUORUM_DELIVERY_LIMIT 20

const struct queue_settings queue_settings_default = {
    .expires_ms = SETTING_NONE,
    .consumer_timeout_ms = SETTING_NONE,
    .message_ttl_ms = SETTING_NONE,
    .max_length = SETTING_NONE,
    .max_length_bytes = SETTING_NONE,
    .delivery_limit = SETTING_NONE,
};

void queue_settings_merge(struct bytes arguments, const struct queue_settings *base,
                          struct queue_settings *out)
{
    struct reader at = reader_of(arguments);
    struct bytes key;
    struct field field;
    *out = *base;
    while (table_next(&at, &key, &field)) {
        const struct setting *setting = setting_of_argument(key);
        if (setting)
            setting_apply(setting, &field, out);
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
        const struct setting *setting = setting_of_argument(key);
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
    const struct setting *setting;
    for (size_t i = 0; !status && (setting = setting_at(i)) && setting->argument; i++)
        status = equivalent_argument(check, setting->argument, received, current);
    return status;
}
