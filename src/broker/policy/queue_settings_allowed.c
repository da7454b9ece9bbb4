/* Part of queue_settings (queue_settings.h): arguments that a type of queue does not have, and
 * values that are checked when a client declares a queue but not in recovery, so that queues stay
 * that an earlier broker accepted. */
#include "broker/policy/queue_settings.h"
#include "broker/policy/setting_check.h"
#include "leveret/wire/table.h"

#define C (1u << QUEUE_CLASSIC)
#define Q (1u << QUEUE_QUORUM)

static const struct {
    const char *argument;
    unsigned refusing;    /* the types without this argument: bit 1 << enum queue_type for each */
    setting_check *check; /* NULL: the value is checked by queue_settings_parse, or not at all */
} rules[] = {
    {"x-max-priority", Q, NULL},
    {"x-queue-mode", Q, NULL},
    {"x-queue-version", Q, NULL},
    {"x-queue-master-locator", Q, NULL},
    {"x-queue-leader-locator", 0, setting_check_leader_locator},
    {"x-max-in-memory-length", C, setting_check_not_negative},
    {"x-max-in-memory-bytes", C, setting_check_not_negative},
    {"x-quorum-initial-group-size", C, setting_check_group_size},
    {"x-consumer-disconnected-timeout", C, setting_check_not_negative},
    {"x-delayed-retry-type", C, NULL},
    {"x-delayed-retry-min", C, NULL},
    {"x-delayed-retry-max", C, NULL},
    /* Arguments of streams. */
    {"x-initial-cluster-size", C | Q, NULL},
    {"x-max-age", C | Q, NULL},
    {"x-stream-max-segment-size-bytes", C | Q, NULL},
    {"x-stream-filter-size-bytes", C | Q, NULL},
};

/* Refuses delayed retry, which is not supported: returned messages would be delivered again at
 * once, in a loop that keeps consumer and broker busy. */
static enum status check_retry(struct bytes arguments, struct bytes queue, struct bytes vhost,
                               struct refusal *refusal)
{
    static const char *const names[] = {"x-delayed-retry-type", "x-delayed-retry-min",
                                        "x-delayed-retry-max"};
    struct field field;
    if (table_find(arguments, names[0], &field) && field.type == FIELD_STRING &&
        bytes_equal_text(field.value.bytes, "disabled"))
        return STATUS_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (table_find(arguments, names[i], &field))
            return refuse(refusal, STATUS_PRECONDITION_FAILED,
                          "invalid arg '%s' for queue '%.*s' in vhost '%.*s': delayed retry is not "
                          "supported: returned messages would come back at once",
                          names[i], BYTES_PRINT(queue), BYTES_PRINT(vhost));
    return STATUS_OK;
}

enum status queue_settings_refuse_argument(const char *argument, struct bytes queue,
                                           struct bytes vhost, enum queue_type type,
                                           struct refusal *refusal)
{
    return refuse(refusal, STATUS_PRECONDITION_FAILED,
                  "invalid arg '%s' for queue '%.*s' in vhost '%.*s' of queue type rabbit_%s_queue",
                  argument, BYTES_PRINT(queue), BYTES_PRINT(vhost), queue_type_name(type));
}

enum status queue_settings_allowed(struct bytes arguments, struct bytes queue, struct bytes vhost,
                                   enum queue_type type, struct refusal *refusal)
{
    struct field field;
    char why[SETTING_WHY_MAX];
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (!table_find(arguments, rules[i].argument, &field))
            continue;
        if (rules[i].refusing & 1u << type)
            return queue_settings_refuse_argument(rules[i].argument, queue, vhost, type, refusal);
        if (rules[i].check && !rules[i].check(&field, why))
            return refuse(refusal, STATUS_PRECONDITION_FAILED,
                          "invalid arg '%s' for queue '%.*s' in vhost '%.*s': %s",
                          rules[i].argument, BYTES_PRINT(queue), BYTES_PRINT(vhost), why);
    }
    return check_retry(arguments, queue, vhost, refusal);
}
