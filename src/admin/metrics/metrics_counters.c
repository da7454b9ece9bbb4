/* Part of metrics: counters of deliveries by type of queue, of dead letters by cause and strategy,
 * and of messages by size. The names and labels are RabbitMQ's. */
#include <stddef.h>

#include "admin/metrics/metrics_node.h"
#include "admin/metrics/totals.h"

static const char *const type_names[COUNTED_TYPES] = {
    [COUNTED_CLASSIC] = "rabbit_classic_queue",
    [COUNTED_QUORUM] = "rabbit_quorum_queue",
};
static const char *const strategy_names[COUNTED_STRATEGIES] = {
    [COUNTED_DISABLED] = "disabled",
    [COUNTED_AT_MOST_ONCE] = "at_most_once",
    [COUNTED_AT_LEAST_ONCE] = "at_least_once",
};

/* ---- Deliveries. */

struct delivery_family {
    const char *name, *help;
    size_t
        parts[4]; /* offsets in struct rates of the values that are added up; NO_PART ends them */
};
#define NO_PART    SIZE_MAX
#define OF(member) offsetof(struct rates, member)

static const struct delivery_family deliveries[] = {
    {"global_messages_delivered_total",
     "Total number of messages delivered to consumers",
     {OF(deliver), OF(deliver_no_ack), OF(get), OF(get_no_ack)}},
    {"global_messages_delivered_consume_manual_ack_total",
     "Total number of messages delivered to consumers with manual acknowledgment",
     {OF(deliver), NO_PART}},
    {"global_messages_delivered_consume_auto_ack_total",
     "Total number of messages delivered to consumers with automatic acknowledgment",
     {OF(deliver_no_ack), NO_PART}},
    {"global_messages_delivered_get_manual_ack_total",
     "Total number of messages fetched by basic.get with manual acknowledgment",
     {OF(get), NO_PART}},
    {"global_messages_delivered_get_auto_ack_total",
     "Total number of messages fetched by basic.get with automatic acknowledgment",
     {OF(get_no_ack), NO_PART}},
    {"global_messages_get_empty_total",
     "Total number of times basic.get operations fetched no message",
     {OF(get_empty), NO_PART}},
    {"global_messages_redelivered_total",
     "Total number of messages redelivered to consumers",
     {OF(redeliver), NO_PART}},
    {"global_messages_acknowledged_total",
     "Total number of messages acknowledged by consumers",
     {OF(ack), NO_PART}},
};
#undef OF

static uint64_t value_of(const struct delivery_family *family, const struct rates *rates)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < 4 && family->parts[i] != NO_PART; i++)
        sum += *(const uint64_t *)(const void *)((const char *)rates + family->parts[i]);
    return sum;
}

static void write_delivery(struct exposition *out, const struct delivery_family *family,
                           const char *type, uint64_t value)
{
    exposition_name(out, family->name, "");
    text_printf(&out->text, "{protocol=\"amqp091\",queue_type=\"%s\"}", type);
    exposition_value(out, value);
}

/* Deliveries that are counted for no type of queue are direct replies, for which RabbitMQ has the
 * type rabbit_volatile_queue. */
static void write_deliveries(struct exposition *out, const struct vhost_totals *all)
{
    for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries; i++) {
        const struct delivery_family *family = &deliveries[i];
        uint64_t rest = value_of(family, &all->rates);
        const struct metric metric = {family->name, METRIC_COUNTER, family->help};
        exposition_family(out, &metric);
        for (unsigned type = 0; type < COUNTED_TYPES; type++) {
            uint64_t value = value_of(family, &all->counters.by_type[type]);
            write_delivery(out, family, type_names[type], value);
            rest -= value;
        }
        write_delivery(out, family, "rabbit_volatile_queue", rest);
    }
}

/* ---- Dead letters. */

static const struct {
    const char *name, *help;
} deaths[COUNTED_DEATHS] = {
    [COUNTED_REJECTED] = {"global_messages_dead_lettered_rejected_total",
                          "Total number of messages dead-lettered due to basic.reject or "
                          "basic.nack"},
    [COUNTED_EXPIRED] = {"global_messages_dead_lettered_expired_total",
                         "Total number of messages dead-lettered since their time was over"},
    [COUNTED_MAXLEN] = {"global_messages_dead_lettered_maxlen_total",
                        "Total number of messages dead-lettered due to a length limit"},
    [COUNTED_DELIVERY_LIMIT] = {"global_messages_dead_lettered_delivery_limit_total",
                                "Total number of messages dead-lettered since they were returned "
                                "too often"},
};

static void write_death(struct exposition *out, const char *name, unsigned type, unsigned strategy,
                        uint64_t value)
{
    exposition_name(out, name, "");
    text_printf(&out->text, "{queue_type=\"%s\",dead_letter_strategy=\"%s\"}", type_names[type],
                strategy_names[strategy]);
    exposition_value(out, value);
}

static void write_dead_letters(struct exposition *out, const struct counters *counters)
{
    static const struct metric confirmed = {
        "global_messages_dead_lettered_confirmed_total", METRIC_COUNTER,
        "Total number of messages dead-lettered at least once and taken by a queue"};
    for (unsigned death = 0; death < COUNTED_DEATHS; death++) {
        const struct metric metric = {deaths[death].name, METRIC_COUNTER, deaths[death].help};
        exposition_family(out, &metric);
        for (unsigned type = 0; type < COUNTED_TYPES; type++)
            for (unsigned strategy = 0; strategy < COUNTED_STRATEGIES; strategy++)
                write_death(out, deaths[death].name, type, strategy,
                            counters->dead_lettered[type][strategy][death]);
    }
    exposition_family(out, &confirmed);
    for (unsigned type = 0; type < COUNTED_TYPES; type++)
        write_death(out, confirmed.name, type, COUNTED_AT_LEAST_ONCE,
                    counters->dead_letters_confirmed[type]);
}

/* ---- Sizes. */

#define AMQP "{protocol=\"amqp091\"}"

static void write_sizes(struct exposition *out, const struct counters *counters)
{
    static const struct metric metric = {"message_size_bytes", METRIC_HISTOGRAM,
                                         "Size of messages received from publishers"};
    uint64_t sum = 0;
    exposition_family(out, &metric);
    for (unsigned i = 0; i < COUNTED_SIZES; i++) {
        sum += counters->sizes[i];
        exposition_name(out, metric.name, "_bucket{protocol=\"amqp091\",le=\"");
        if (i + 1 < COUNTED_SIZES)
            exposition_bound(out, counted_size_bytes[i]);
        else
            text_add(&out->text, "+Inf", 4);
        text_add(&out->text, "\"}", 2);
        exposition_value(out, sum);
    }
    exposition_name(out, metric.name, "_sum" AMQP);
    exposition_value(out, counters->body_bytes);
    exposition_name(out, metric.name, "_count" AMQP);
    exposition_value(out, sum);
}

void metrics_counters(struct exposition *out, const struct totals *totals)
{
    write_deliveries(out, &totals->all);
    write_dead_letters(out, &totals->all.counters);
    write_sizes(out, &totals->all.counters);
}
