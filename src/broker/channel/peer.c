/* The pace of a publisher: see peer.h. */
#include "broker/channel/peer.h"

#include "broker/channel/channels.h"

/* After this many publishes in a row to queues whose consumers keep up, a publisher that was slowed
 * is slowed no more. So a publisher that alternates between queues is not told at each publish. */
#define PACE_PUBLISHES 256u

void peer_pace(struct peer *peer, bool behind)
{
    bool slow = peer->outruns > 0;
    peer->outruns = behind ? PACE_PUBLISHES : (uint16_t)(peer->outruns - slow);
    if (slow == (peer->outruns > 0))
        return;
    struct event event = {.type = EVENT_PACE};
    event.u.pace.slow = !slow;
    channels_tell(peer->set, peer, &event);
}
