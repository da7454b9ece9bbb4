/* Sums of what a vhost holds, by kind: see holding.h. */
#include "broker/call/holding.h"

#include <inttypes.h>

enum status holding_take(struct holdings *holdings, enum account_kind kind, uint64_t bytes,
                         const char *what, struct refusal *refusal)
{
    struct account *account = holdings->account;
    if (!account)
        return STATUS_OK;
    if (holdings->unlimited) {
        holding_add(holdings, kind, bytes);
        return STATUS_OK;
    }
    if (!account_take(account, kind, bytes))
        return refuse(refusal, STATUS_PRECONDITION_FAILED,
                      "no memory for %s: %s may take %" PRIu64 " bytes, and take %" PRIu64
                      " already",
                      what, account_kind_name(kind), account_limit_bytes(account, kind),
                      account_bytes(account, kind));
    holdings->bytes[kind] += bytes;
    return STATUS_OK;
}

void holding_add(struct holdings *holdings, enum account_kind kind, uint64_t bytes)
{
    if (!holdings->account)
        return;
    holdings->bytes[kind] += bytes;
    account_add(holdings->account, kind, (int64_t)bytes);
}

void holding_give(struct holdings *holdings, enum account_kind kind, uint64_t bytes)
{
    if (!holdings->account)
        return;
    holdings->bytes[kind] -= bytes;
    account_add(holdings->account, kind, -(int64_t)bytes);
}

void holding_end(struct holdings *holdings)
{
    for (int kind = 0; holdings->account && kind < ACCOUNT_KIND_COUNT; kind++)
        holding_give(holdings, (enum account_kind)kind, holdings->bytes[kind]);
}
