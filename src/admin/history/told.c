/* What is told of an object: see told.h. */
#include "admin/history/told.h"

#include <stdlib.h>

void told_add(struct told *sum, const struct told *more)
{
    for (unsigned i = 0; i < sum->columns; i++)
        sum->rates[i] += more->rates[i];
    for (unsigned kind = 0; kind < RANGE_KINDS; kind++) {
        struct told_samples *to = &sum->of[kind];
        for (size_t i = 0; i < to->count * sum->columns; i++)
            to->values[i] += more->of[kind].values[i];
    }
}

void told_free(struct told *told)
{
    for (unsigned kind = 0; kind < RANGE_KINDS; kind++)
        free(told->of[kind].values);
    *told = (struct told){0};
}

double told_avg_rate(const struct told *told, enum range_kind range, unsigned column)
{
    const struct told_samples *samples = &told->of[range];
    uint64_t oldest = samples->values[column];
    uint64_t newest = samples->values[(samples->count - 1) * told->columns + column];
    uint64_t age_s = (uint64_t)(samples->count - 1) * samples->range.incr_s;
    return age_s ? (double)(int64_t)(newest - oldest) / (double)age_s : 0.0;
}

double told_avg(const struct told *told, enum range_kind range, unsigned column)
{
    const struct told_samples *samples = &told->of[range];
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++)
        sum += (double)samples->values[i * told->columns + column];
    return sum / (double)samples->count;
}
