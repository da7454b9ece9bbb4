/* What is told of a queue: its type, and the part of time in which its consumers could take. */
#include "admin/listing/listed_queue.h"

#include "leveret/wire/table.h"

struct bytes listed_queue_type(const struct queue_info *q)
{
    struct field field;
    if (table_find(q->arguments, "x-queue-type", &field) && field.type == FIELD_STRING &&
        field.value.bytes.len)
        return field.value.bytes;
    return BYTES_LITERAL("classic");
}

bool listed_queue_is_quorum(const struct queue_info *q)
{
    return bytes_equal_text(listed_queue_type(q), "quorum");
}

void listed_queue_values(const struct queue_info *q, uint64_t values[QUEUE_NUMBERS])
{
    const struct queue_numbers numbers = {
        q->rates,      q->messages_ready, q->messages_unacknowledged,
        q->disk_reads, q->disk_writes,    q->able_ms};
    stats_of_queue(&numbers, values);
}

void listed_queue_tell(const struct request *request, struct bytes vhost,
                       const struct queue_info *q, const uint64_t values[QUEUE_NUMBERS],
                       unsigned wanted, struct told *out)
{
    uint64_t born[VHOST_NUMBERS];
    const struct archive_object object = {.kind = ARCHIVE_QUEUE,
                                          .number = q->sample_number,
                                          .born_ms = q->born_wall_ms,
                                          .sampled_before = q->sampled_before,
                                          .values = values,
                                          .born = born};
    stats_born(q->born_ready, born);
    stats_tell(request, 'v', vhost, &object, wanted, out);
}

/* Returns true when no number of the queue has changed in the last interval. */
static bool was_idle(const struct told *told)
{
    for (unsigned i = 0; i < NUMBER_ABLE_MS; i++)
        if (told->rates[i] > 0 || told->rates[i] < 0)
            return false;
    return true;
}

double listed_queue_capacity(const struct queue_info *q, const struct told *told)
{
    if (q->consumers == 0)
        return 0;
    /* While nothing changes, all of the time or none of it counts. */
    double capacity = was_idle(told) ? q->able : told->rates[NUMBER_ABLE_MS] / 1000.0;
    /* Above 1 when the interval before was idle: its time has been counted with this one. */
    return capacity > 1 ? 1 : capacity;
}
