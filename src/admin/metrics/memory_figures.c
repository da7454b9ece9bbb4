/* Parts of the memory. The account counts what clients make the broker hold, by kind; each kind
 * belongs to one of RabbitMQ's parts. */
#include "admin/metrics/memory_figures.h"

#include "admin/metrics/process.h"

static const enum memory_part part_of[ACCOUNT_KIND_COUNT] = {
    [ACCOUNT_READERS] = MEMORY_CONNECTION_READERS,
    [ACCOUNT_CONTENTS] = MEMORY_CONNECTION_READERS,
    [ACCOUNT_WRITERS] = MEMORY_CONNECTION_WRITERS,
    [ACCOUNT_CONNECTIONS] = MEMORY_CONNECTION_OTHER,
    [ACCOUNT_HTTP_REQUESTS] = MEMORY_PLUGINS,
    [ACCOUNT_HTTP_ANSWERS] = MEMORY_PLUGINS,
    [ACCOUNT_MESSAGES] = MEMORY_BINARY,
    [ACCOUNT_TRANSACTIONS] = MEMORY_CONNECTION_CHANNELS,
    [ACCOUNT_CONSUMERS] = MEMORY_CONNECTION_CHANNELS,
    [ACCOUNT_BINDINGS] = MEMORY_QUEUE_PROCS,
    [ACCOUNT_HASH_RINGS] = MEMORY_QUEUE_PROCS,
    [ACCOUNT_DEFINITIONS] = MEMORY_QUEUE_PROCS,
    [ACCOUNT_DEDUPLICATION] = MEMORY_MSG_INDEX,
    [ACCOUNT_HISTORY] = MEMORY_BINARY,
    [ACCOUNT_SAMPLES] = MEMORY_MGMT_DB,
};

static const struct {
    const char *name, *metric, *what;
} parts[MEMORY_PART_COUNT] = {
#define X(part, name, metric, what) [MEMORY_##part] = {name, metric, what},
    MEMORY_PARTS(X)
#undef X
};

/* The account may count more than is resident: a message in several queues is counted in each, and
 * the system may have swapped memory out. Messages are told as less then, so that the parts still
 * add up; then the others. */
static void fit(struct memory_figures *figures, uint64_t sum)
{
    uint64_t excess = sum - figures->resident;
    for (unsigned n = 0; n < MEMORY_PART_COUNT && excess; n++) {
        uint64_t *part = &figures->parts[(MEMORY_BINARY + n) % MEMORY_PART_COUNT];
        uint64_t less = excess < *part ? excess : *part;
        *part -= less;
        excess -= less;
    }
}

void memory_figures(const struct admin *admin, struct memory_figures *out)
{
    const struct account *account = node_account(admin->options.node);
    struct process_figures process;
    uint64_t sum;
    process_memory_figures(&process);
    *out = (struct memory_figures){
        .resident = process.resident_bytes,
        .allocated = process.resident_bytes - process.file_bytes,
        .parts[MEMORY_CODE] = process.file_bytes,
    };
    for (unsigned kind = 0; kind < ACCOUNT_KIND_COUNT; kind++) {
        uint64_t bytes = account_bytes(account, (enum account_kind)kind);
        out->parts[part_of[kind]] += bytes;
        out->counted += bytes;
    }
    sum = out->counted + out->parts[MEMORY_CODE];
    if (sum <= out->resident)
        out->parts[MEMORY_OTHER_SYSTEM] = out->resident - sum;
    else
        fit(out, sum);
}

const char *memory_part_name(enum memory_part part)
{
    return parts[part].name;
}

const char *memory_part_metric(enum memory_part part)
{
    return parts[part].metric;
}

const char *memory_part_help(enum memory_part part)
{
    return parts[part].what;
}
