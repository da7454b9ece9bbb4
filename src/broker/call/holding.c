/* See holding.h. */
#include "broker/call/holding.h"

#include <inttypes.h>

#include "broker/vhost_state.h"

enum status holding_take(struct vhost *vhost, enum account_kind kind, uint64_t bytes,
                         const char *what, struct refusal *refusal)
{
    struct account *account = vhost->options.account;
    if (!account)
        return STATUS_OK;
    if (vhost->recovering) {
        holding_add(vhost, kind, bytes);
        return STATUS_OK;
    }
    if (!account_take(account, kind, bytes))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "no memory for %s: %s may take %" PRIu64 " bytes, and take %" PRIu64
                      " already",
                      what, account_kind_name(kind), account_limit_bytes(account, kind),
                      account_bytes(account, kind));
    vhost->holding[kind] += bytes;
    return STATUS_OK;
}

void holding_add(struct vhost *vhost, enum account_kind kind, uint64_t bytes)
{
    if (!vhost->options.account)
        return;
    vhost->holding[kind] += bytes;
    account_add(vhost->options.account, kind, (int64_t)bytes);
}

void holding_give(struct vhost *vhost, enum account_kind kind, uint64_t bytes)
{
    if (!vhost->options.account)
        return;
    vhost->holding[kind] -= bytes;
    account_add(vhost->options.account, kind, -(int64_t)bytes);
}

void holding_end(struct vhost *vhost)
{
    for (int kind = 0; vhost->options.account && kind < ACCOUNT_KIND_COUNT; kind++)
        holding_give(vhost, (enum account_kind)kind, vhost->holding[kind]);
}
