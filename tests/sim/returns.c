/* How often a message came back to its queue: all its returns, and those among them that are
 * failures. x-acquired-count tells the first number, and x-delivery-count the one that the queue's
 * delivery limit bounds. A crash leaves each between what was on disk and one more than there was,
 * since a message that is out when the broker ends comes back as a failure. */
#include <limits.h>

#include "sim.h"

static const struct tally none;

void returns_begin(struct copy *copy)
{
    copy->returns = copy->failures = none;
    copy->failures_unknown = false;
}

void returns_unknown(struct copy *copy)
{
    copy->returns.max = copy->failures.max = UINT16_MAX;
}

void returns_add(struct copy *copy, int how)
{
    copy->returns.is++;
    copy->failures.is = (uint16_t)(copy->failures.is + (how != END_REQUEUE));
    copy->failures_unknown |= how == END_TIME_OUT;
    if (copy->failures_unknown)
        copy->failures.min = 0;
    /* The disk may have either record: that the message was out, or that it came back without a
     * failure. */
    if (copy->failures.is < copy->failures.min)
        copy->failures.min = copy->failures.is;
}

void returns_synced(struct copy *copy)
{
    if (copy->doubtful || !(copy->been_out || copy->place == OUT))
        return;
    unsigned more = copy->place == OUT;
    copy->returns.min = (uint16_t)(copy->returns.is + more);
    copy->failures.min = (uint16_t)(copy->failures_unknown ? 0 : copy->failures.is + more);
}

static void one_more(struct tally *tally, bool doubtful)
{
    unsigned max = doubtful ? tally->max : tally->is;
    tally->max = (uint16_t)(max < UINT16_MAX ? max + 1 : max);
}

void returns_crashed(struct copy *copy)
{
    one_more(&copy->returns, copy->doubtful);
    one_more(&copy->failures, copy->doubtful);
}

/* ---- Compared with what is delivered. */

static bool within(const struct tally *tally, uint64_t count)
{
    return count >= tally->min && count <= tally->max;
}

/* After a crash the counts must be within their bounds. */
static void check_bounds(const struct sim_queue *queue, const struct copy *copy, unsigned uid,
                         uint64_t acquired, uint64_t counted)
{
    sim.counts_checked++;
    bool right = queue->counting == COUNTS_ALL        ? counted == acquired
                 : queue->counting == COUNTS_FAILURES ? within(&copy->failures, counted)
                                                      : counted <= acquired;
    if (!within(&copy->returns, acquired) || !right)
        sim_fail("message %u of %s: counts %llu and %llu after a crash, not %u to %u and %u to %u",
                 uid, queue->name, (unsigned long long)acquired, (unsigned long long)counted,
                 copy->returns.min, copy->returns.max, copy->failures.min, copy->failures.max);
}

void returns_check(const struct sim_queue *queue, const struct copy *copy, unsigned uid, bool again,
                   const struct counts *counts)
{
    uint64_t acquired = counts->acquired < 0 ? 0 : (uint64_t)counts->acquired;
    uint64_t counted = counts->counted < 0 ? 0 : (uint64_t)counts->counted;
    if (!queue->counts)
        return;
    if (counts->counted == 0)
        sim_fail("message %u of %s says that it has come back 0 times", uid, queue->name);
    if (counted > queue->delivery_limit)
        sim_fail("message %u of %s: delivery count %llu above the limit", uid, queue->name,
                 (unsigned long long)counted);
    if (copy->doubtful) {
        if (again)
            check_bounds(queue, copy, uid, acquired, counted);
        return;
    }
    uint64_t returns = again ? copy->returns.is : 0, failures = again ? copy->failures.is : 0;
    bool is_all = counted == returns, is_failures = counted == failures;
    bool right = queue->counting == COUNTS_ALL        ? is_all
                 : queue->counting == COUNTS_FAILURES ? is_failures
                                                      : is_all || is_failures;
    if (acquired != returns || (!right && !copy->failures_unknown))
        sim_fail("message %u of %s: counts are %llu and %llu, not %llu with %llu failures", uid,
                 queue->name, (unsigned long long)acquired, (unsigned long long)counted,
                 (unsigned long long)returns, (unsigned long long)failures);
    sim.kinds_checked += failures != returns && failures;
}

/* Notes the counts that the crash has left, as far as the delivery shows them. */
void returns_learn(const struct sim_queue *queue, struct copy *copy, const struct counts *counts)
{
    copy->returns.is = (uint16_t)(counts->acquired < 0 ? 0 : counts->acquired);
    copy->failures.is = (uint16_t)(counts->counted < 0 ? 0 : counts->counted);
    copy->failures_unknown = queue->counting != COUNTS_FAILURES;
    if (copy->failures_unknown)
        copy->failures.is = copy->returns.is;
}
