/* What the broker's memory is used for, in RabbitMQ's parts, which add up to what is resident.
 * Thread: the main thread. */
#ifndef LEVERET_ADMIN_MEMORY_FIGURES_H
#define LEVERET_ADMIN_MEMORY_FIGURES_H

#include "admin/http/admin_state.h"

/* NAME, RabbitMQ's name in the API, and in its metrics; what it is here. Parts of RabbitMQ's that
 * are not here are left out. */
#define MEMORY_PARTS(X)                                                                            \
    X(CONNECTION_READERS, "connection_readers", "client_connection_reader",                        \
      "Input of clients that is not handed out yet")                                               \
    X(CONNECTION_WRITERS, "connection_writers", "client_connection_writer",                        \
      "Output for clients that has not left")                                                      \
    X(CONNECTION_CHANNELS, "connection_channels", "client_connection_channel",                     \
      "Consumers and open transactions")                                                           \
    X(CONNECTION_OTHER, "connection_other", "client_connection_other",                             \
      "Connections and their channels")                                                            \
    X(QUEUE_PROCS, "queue_procs", "classic_queue_erlang_process",                                  \
      "Queues, exchanges, bindings and policies")                                                  \
    X(PLUGINS, "plugins", "plugin", "Requests and answers of the HTTP API")                        \
    X(MGMT_DB, "mgmt_db", "management_stats_db", "Samples for rates and history")                  \
    X(MSG_INDEX, "msg_index", "message_index", "Identifiers of messages, to find duplicates")      \
    X(BINARY, "binary", "binary_heap", "Messages")                                                 \
    X(CODE, "code", "code_module", "The program and its libraries")                                \
    X(OTHER_SYSTEM, "other_system", "other_system", "All else, the allocator's free memory too")

enum memory_part {
#define X(part, name, metric, what) MEMORY_##part,
    MEMORY_PARTS(X)
#undef X
        MEMORY_PART_COUNT
};

struct memory_figures {
    uint64_t parts[MEMORY_PART_COUNT]; /* bytes; their sum is resident */
    uint64_t resident;
    uint64_t allocated; /* resident without what is backed by files */
    uint64_t counted;   /* what the node's account counts */
};
void memory_figures(const struct admin *admin, struct memory_figures *out);

/* The part's names in the API and, without "rabbitmq_memory_" and "_bytes", in metrics; and what it
 * is. */
const char *memory_part_name(enum memory_part part);
const char *memory_part_metric(enum memory_part part);
const char *memory_part_help(enum memory_part part);

#endif
