/* What a worker's sessions hold in memory: frames in backlogs, and messages that have come in part.
 *
 * Normal course: a function that changes one of the sums calls session_memory_changed; at the end
 * of the turn the account is told the change, and the node weighs its memory when much was added.
 */
#include "session_memory.h"

#include "leveret/base/container.h"
#include "sessions_state.h"

/* Bytes of the kind that this worker may hold while all others hold what they do now. */
static uint64_t left(const struct account *account, enum account_kind kind, uint64_t own_bytes)
{
    uint64_t held = account_bytes(account, kind), limit = account_limit_bytes(account, kind);
    uint64_t others = held > own_bytes ? held - own_bytes : 0;
    return limit > others ? limit - others : 0;
}

static void tell(struct loop_task *task)
{
    struct sessions *sessions = container_of(task, struct sessions, memory.told);
    struct session_memory *memory = &sessions->memory;
    struct account *account = memory->account;
    account_tell(account, ACCOUNT_READERS, &memory->told_backlog_bytes, memory->backlog_bytes);
    account_tell(account, ACCOUNT_CONTENTS, &memory->told_content_bytes, memory->content_bytes);
    memory->short_of_readers =
        account_bytes(account, ACCOUNT_READERS) > account_limit_bytes(account, ACCOUNT_READERS);
    memory->content_bytes_max = left(account, ACCOUNT_CONTENTS, memory->content_bytes);
    uint64_t told = memory->told_backlog_bytes + memory->told_content_bytes;
    if (told < memory->weighed_bytes)
        memory->weighed_bytes = told;
    if (told - memory->weighed_bytes < NODE_WEIGH_BYTES)
        return;
    memory->weighed_bytes = told;
    node_weigh_memory(sessions->options.node);
}

void session_memory_begin(struct sessions *sessions, struct account *account)
{
    sessions->memory.account = account;
    sessions->memory.told.run = tell;
    sessions->memory.content_bytes_max = left(account, ACCOUNT_CONTENTS, 0);
}

void session_memory_end(struct sessions *sessions)
{
    tell(&sessions->memory.told);
    loop_task_cancel(sessions->loop, &sessions->memory.told);
}

void session_memory_changed(struct sessions *sessions)
{
    loop_at_end(sessions->loop, PHASE_COMMIT, &sessions->memory.told);
}
