/* What the connections of one loop share. */
#include "leveret/net/net_worker.h"

#include <stdlib.h>

#include "crowd.h"
#include "input.h"
#include "leaving.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "net_worker_state.h"

/* Tells the account; once in a turn in which something has changed. */
static void tell_memory(struct loop_task *task)
{
    struct net_worker *worker = container_of(task, struct net_worker, told);
    struct net_memory *memory = &worker->memory;
    struct account *account = worker->account;
    account_tell(account, ACCOUNT_READERS, &memory->told_held_bytes, memory->held_bytes);
    account_tell(account, ACCOUNT_WRITERS, &memory->told_output_bytes,
                 worker->pool.allocated_bytes);
    memory->short_of_readers = account && account_bytes(account, ACCOUNT_READERS) >
                                              account_limit_bytes(account, ACCOUNT_READERS);
}

void net_worker_count(struct net_worker *worker)
{
    loop_at_end(worker->loop, PHASE_FREE, &worker->told);
}

struct net_worker *net_worker_new(struct loop *loop, struct account *account)
{
    struct net_worker *worker = mem_need(sizeof *worker);
    worker->loop = loop;
    worker->account = account;
    worker->told.run = tell_memory;
    TAILQ_INIT(&worker->leaving);
    TAILQ_INIT(&worker->crowd);
    worker->crowd_task.run = crowd_task_run;
    return worker;
}

void net_worker_counters(const struct net_worker *worker, struct connection_counters *out)
{
    *out = worker->counters;
}

void net_worker_free(struct net_worker **worker)
{
    struct net_worker *w = *worker;
    *worker = NULL;
    if (!w)
        return;
    leaving_clear(w);
    CHECK(w->connections == 0);
    input_blocks_clear(&w->blocks);
    output_pool_clear(&w->pool);
    tell_memory(&w->told);
    loop_task_cancel(w->loop, &w->told);
    loop_task_cancel(w->loop, &w->crowd_task);
    free(w->sink);
    free(w);
}
