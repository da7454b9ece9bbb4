/* Sharing out descriptors. */
#include "descriptors.h"

/* Log, event loops, listeners, signals, the node's own database, what libraries open for a moment.
 */
#define OWN 64u
/* A vhost's database: its log, manifest, lock and text log, tables while they are written or
 * compacted, directories while they are synced. Tables that are read are mapped and hold none, up
 * to a thousand in the process: from there LevelDB keeps a fifth of the limit open at most. */
#define OF_A_VHOST      12u
#define TABLES_PART     8u /* of the limit */
#define TABLES_MAX      2048u
#define HTTP_PART       8u /* of the limit, at most */
#define CONNECTIONS_MIN 8u /* whatever the limit: somebody has to be able to ask what is wrong */

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
