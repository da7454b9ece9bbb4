/* The node's numbers: see broker_numbers.h. */
#include "admin/sampling/broker_numbers.h"

#include <string.h>

#include "admin/metrics/process.h"

void broker_numbers(const struct admin *admin, uint64_t fds, const struct sessions_totals *sessions,
                    const struct counters *counters, const struct journal_figures *journal,
                    uint64_t values[NODE_NUMBERS])
{
    struct process_figures process;
    struct node_alarms alarms;
    process_memory_figures(&process);
    node_alarms(admin->options.node, &alarms);
    const uint64_t all[NODE_NUMBERS] = {
        [NODE_MEM_USED] = process.resident_bytes,
        [NODE_FD_USED] = fds,
        [NODE_SOCKETS_USED] = admin_client_sockets(admin).used,
        [NODE_PROC_USED] = process.threads,
        [NODE_DISK_FREE] = alarms.disk_free_bytes,
        [NODE_CONNECTION_CREATED] = sessions->opened,
        [NODE_CONNECTION_CLOSED] = sessions->closed,
        [NODE_CHANNEL_CREATED] = sessions->channels_opened,
        [NODE_CHANNEL_CLOSED] = sessions->channels_closed,
        [NODE_QUEUE_DECLARED] = counters->queues_declared,
        [NODE_QUEUE_CREATED] = counters->queues_created,
        [NODE_QUEUE_DELETED] = counters->queues_deleted,
        [NODE_IO_READ_COUNT] = journal->io.reads,
        [NODE_IO_READ_BYTES] = journal->io.read_bytes,
        [NODE_IO_READ_US] = journal->io.read_us,
        [NODE_IO_WRITE_COUNT] = journal->io.writes,
        [NODE_IO_WRITE_BYTES] = journal->io.write_bytes,
        [NODE_IO_WRITE_US] = journal->io.write_us,
        [NODE_IO_SYNC_COUNT] = journal->io.syncs,
        [NODE_IO_SYNC_US] = journal->io.sync_us,
    };
    memcpy(values, all, sizeof all);
}

struct archive_object broker_object(const struct admin *admin, const uint64_t *values,
                                    uint64_t *born)
{
    /* What may fall has not grown from 0 when the process began: no growth is told for it then. */
    memset(born, 0, NODE_NUMBERS * sizeof *born);
    memcpy(born, values, NODE_GAUGES * sizeof *born);
    return (struct archive_object){.kind = ARCHIVE_NODE,
                                   .born_ms = admin->started_wall_ms,
                                   .changed = true,
                                   .values = values,
                                   .born = born};
}
