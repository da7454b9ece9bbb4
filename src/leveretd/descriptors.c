/* Sharing out the process's file descriptors. */
#include "descriptors.h"

/* Descriptors for log, event loops, listeners, signals, the node's own database, and those that
 * libraries open for a moment. */
#define OWN 64u
/* Descriptors of a vhost's database: its log, manifest, lock and text log, tables while they are
 * written or compacted, directories while they are synced. Tables that are read are mapped and need
 * none, up to a thousand in the process; beyond that LevelDB keeps at most a fifth of the limit
 * open. */
#define OF_A_VHOST 12u
/* The journal's tables get 1 / TABLES_PART of the limit, at most TABLES_MAX; HTTP gets at most
 * 1 / HTTP_PART. HTTP and AMQP have room for CONNECTIONS_MIN connections each, however low the
 * limit is, since an operator must be able to ask what is wrong. */
#define TABLES_PART     8u
#define TABLES_MAX      2048u
#define HTTP_PART       8u
#define CONNECTIONS_MIN 8u

static uint64_t at_most(uint64_t value, uint64_t max)
{
    return value < max ? value : max;
}

void descriptors_plan(uint64_t limit, size_t vhosts, uint64_t http_wanted, struct descriptors *out)
{
    out->limit = limit;
    out->journal = OWN + OF_A_VHOST * (uint64_t)vhosts + at_most(limit / TABLES_PART, TABLES_MAX);
    out->http = at_most(http_wanted, limit / HTTP_PART);
    if (http_wanted && out->http < CONNECTIONS_MIN)
        out->http = CONNECTIONS_MIN;
    uint64_t taken = out->journal + out->http;
    out->amqp = limit > taken + CONNECTIONS_MIN ? limit - taken : CONNECTIONS_MIN;
}
