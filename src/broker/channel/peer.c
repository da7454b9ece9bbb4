/* Peers: see peer.h. */
#include "broker/channel/peer.h"

#include "broker/channel/channels.h"
#include "leveret/base/mem.h"

/* A publisher that goes from queue to queue should not be told of each. */
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
