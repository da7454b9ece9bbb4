/* Numbers of queues: the sums that the core keeps or works out against a count of each message, and
 * samples against the numbers that a queue had in its last one. See sim.h. */
#include "leveret/base/check.h"
#include "recount.h"
#include "sim.h"

static void compare_sum(const struct sim_queue *queue, const char *what, uint64_t told,
                        uint64_t counted)
{
    if (told != counted)
        sim_fail("%s: %llu %s, counted %llu", queue->name, (unsigned long long)told, what,
                 (unsigned long long)counted);
}

void check_sums(const struct sim_queue *sim_queue, const struct queue_info *info)
{
    struct recounted counted;
    recount_queue(here->h.vhost, bytes_of_text(sim_queue->name), &counted);
    compare_sum(sim_queue, "messages", info->messages_ready + info->messages_unacknowledged,
                counted.messages);
    compare_sum(sim_queue, "bytes", info->ready_bytes + info->unacknowledged_bytes, counted.bytes);
    compare_sum(sim_queue, "persistent messages", info->messages_persistent, counted.persistent);
    compare_sum(sim_queue, "persistent bytes", info->persistent_bytes, counted.persistent_bytes);
    compare_sum(sim_queue, "messages in memory", info->messages_ram, counted.ram);
    compare_sum(sim_queue, "ready messages in memory", info->messages_ready_ram, counted.ready_ram);
    compare_sum(sim_queue, "bytes in memory", info->ram_bytes, counted.ram_bytes);
}

/* ---- Samples. */

static struct queue_numbers numbers_now(const struct queue_info *info)
{
    return (struct queue_numbers){
        info->rates,      info->messages_ready, info->messages_unacknowledged,
        info->disk_reads, info->disk_writes,    0};
}

/* What the numbers were in the queue's last sample, or at its birth. */
static struct queue_numbers numbers_before(const struct sim_queue *queue,
                                           const struct queue_info *info)
{
    if (info->sampled_before)
        return queue->sampled;
    return (struct queue_numbers){.ready = info->born_ready};
}

static bool equal(const struct queue_numbers *a, const struct queue_numbers *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Takes a whole walk's samples, a few in each call. */
static unsigned walk(struct object_sample *samples, unsigned room)
{
    struct sample_walk walk = {.all = false};
    unsigned count = 0;
    while (!walk.done) {
        CHECK(count + 3 <= room);
        count += (unsigned)vhost_sample(here->h.vhost, &walk, here->h.now, &samples[count], 3);
    }
    return count;
}

enum { SAMPLES_MAX = 4096 };

void check_samples(void)
{
    static struct object_sample samples[SAMPLES_MAX];
    if (!here->there || here->under_way || here->h.halted)
        return;
    static struct queue_info infos[64];
    bool found[64] = {false};
    CHECK(here->world.queue_count <= 64);
    for (unsigned q = 0; q < here->world.queue_count; q++)
        found[q] =
            vhost_find_queue(here->h.vhost, bytes_of_text(here->world.queues[q].name), &infos[q]);
    unsigned count = walk(samples, SAMPLES_MAX);
    for (unsigned q = 0; q < here->world.queue_count; q++) {
        struct sim_queue *queue = &here->world.queues[q];
        const struct object_sample *sample = NULL;
        if (!found[q])
            continue;
        for (unsigned i = 0; i < count; i++)
            if (samples[i].kind == SAMPLED_QUEUE && samples[i].number == infos[q].sample_number)
                sample = &samples[i];
        struct queue_numbers now = numbers_now(&infos[q]),
                             before = numbers_before(queue, &infos[q]);
        if (!sample != equal(&now, &before))
            sim_fail("%s is %s a sample", queue->name, sample ? "in" : "not in");
        if (!sample)
            continue;
        struct queue_numbers sampled = sample->u.queue;
        sampled.able_ms = 0;
        if (!equal(&sampled, &now))
            sim_fail("%s: a sample has other numbers", queue->name);
        queue->sampled = now;
    }
    if (walk(samples, SAMPLES_MAX))
        sim_fail("a sample without a change");
}
