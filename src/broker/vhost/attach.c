/* Part of vhost (leveret/broker/vhost.h): peers are made and end, limits change. */
#include "broker/vhost/attach.h"

#include "broker/channel/timeout.h"
#include "broker/command/channel_end.h"
#include "broker/vhost/turn.h"
#include "leveret/base/mem.h"

struct peer *vhost_attach(struct vhost *vhost, const struct peer_options *options,
                          struct moment now)
{
    struct bytes name = options->name, user = options->user;
    struct peer *peer = mem_need(sizeof *peer + name.len + user.len);
    vhost_enter(vhost, now);
    if (name.len)
        memcpy(peer->data, name.at, name.len);
    if (user.len)
        memcpy(peer->data + name.len, user.at, user.len);
    peer->name = bytes_of(peer->data, name.len);
    peer->user = bytes_of(peer->data + name.len, user.len);
    peer->set = &vhost->channels;
    peer->vhost = vhost;
    peer->owner = options->owner;
    peer->notify_cancel = options->notify_cancel;
    wait_init(&peer->wait);
    TAILQ_INIT(&peer->exclusive_queues);
    TAILQ_INSERT_TAIL(&vhost->channels.peers, peer, link);
    vhost->channels.peer_count++;
    return peer;
}

void vhost_destroy_peer(struct peer *peer)
{
    for (uint32_t i = 0; i < peer->channel_room; i++)
        if (peer->channels[i])
            channel_destroy(peer->channels[i]);
    free(peer->channels);
    wait_end(&peer->vhost->channels, &peer->wait);
    TAILQ_REMOVE(&peer->vhost->channels.peers, peer, link);
    peer->vhost->channels.peer_count--;
    free(peer);
}

/* Gives back the deliveries of the peer, closes its channels and deletes its exclusive queues.
 * False: this was a portion. */
static bool release(struct peer *peer)
{
    struct vhost *vhost = peer->vhost;
    /* The messages of all channels go back before a queue delivers any of them again. */
    for (uint32_t i = 0; i < peer->channel_room; i++)
        if (peer->channels[i] && !channel_give_back(peer->channels[i]))
            return queues_hold(&vhost->queues, peer->channels[i], true);
    for (uint32_t i = 0; i < peer->channel_room; i++)
        if (peer->channels[i])
            (void)queues_hold(&vhost->queues, peer->channels[i], false);
    for (uint32_t i = 0; i < peer->channel_room; i++) {
        struct channel *channel = peer->channels[i];
        if (channel && (!call_left(&vhost->store.call, 1) || !channel_close(channel, NULL)))
            return false;
    }
    struct queue *queue;
    while ((queue = TAILQ_FIRST(&peer->exclusive_queues))) {
        if (!call_left(&vhost->store.call, 1) || !queue_unhook(queue))
            return false;
        queue_delete(queue);
    }
    return true;
}

struct applied vhost_detach(struct vhost *vhost, struct peer *peer, struct moment now)
{
    void *owner = peer->owner;
    vhost_enter(vhost, now);
    for (uint32_t i = 0; i < peer->channel_room; i++)
        if (peer->channels[i])
            channel_leave(peer->channels[i]);
    if (release(peer)) {
        vhost_destroy_peer(peer);
        struct event event = {.type = EVENT_DETACHED};
        vhost->channels.event(vhost->channels.context, owner, &event);
    } else {
        vhost->store.call.applied.unfinished = true;
    }
    return vhost_finish_call(vhost);
}

void vhost_take_limits(struct vhost *vhost, const struct vhost_limits *limits)
{
    uint64_t *small_bytes_max = vhost->published.small_bytes_max;
    vhost->options.limits = *limits;
    for (unsigned i = 0; i < 2; i++)
        small_bytes_max[i] = limits->message_bytes_max < counted_size_bytes[i]
                                 ? limits->message_bytes_max
                                 : counted_size_bytes[i];
}

void vhost_set_limits(struct vhost *vhost, const struct vhost_limits *limits, struct moment now)
{
    vhost_enter(vhost, now);
    vhost_take_limits(vhost, limits);
    timeout_set_default(&vhost->channels, limits->consumer_timeout_ms);
}
