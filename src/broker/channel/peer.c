/* Peers: made by vhost_attach, ended by vhost_detach. See peer.h. */
#include "broker/channel/peer.h"

#include "broker/vhost_state.h"
#include "leveret/base/mem.h"

/* A publisher that goes from queue to queue should not be told of each. */
#define PACE_PUBLISHES 256u

void peer_pace(struct peer *peer, bool behind)
{
    struct vhost *vhost = peer->vhost;
    bool slow = peer->outruns > 0;
    peer->outruns = behind ? PACE_PUBLISHES : (uint16_t)(peer->outruns - slow);
    if (slow == (peer->outruns > 0))
        return;
    struct event event = {.type = EVENT_PACE};
    event.u.pace.slow = !slow;
    vhost->options.event(vhost->options.context, peer->owner, &event);
}
