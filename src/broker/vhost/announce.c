/* Part of vhost (leveret/broker/vhost.h): the exchanges that the broker itself publishes to. See
 * announce.h. */
#include "broker/vhost/announce.h"

#include "broker/vhost/turn.h"
#include "leveret/base/check.h"

void vhost_announce(struct vhost *vhost, enum announcement announcement, struct bytes key,
                    struct bytes headers, struct bytes body, struct moment now)
{
    static const char *const exchanges[] = {
        [ANNOUNCE_EVENT] = NOTICE_EVENT_EXCHANGE, [ANNOUNCE_LOG] = NOTICE_LOG_EXCHANGE};
    struct text properties = {0};
    vhost_enter(vhost, now);
    notice_properties(headers, 2, now.wall_ms / 1000, &properties);
    struct message *message =
        message_new(bytes_of_text(exchanges[announcement]), key, text_bytes(&properties), body.len);
    text_free(&properties);
    if (message && message_fill(message, NULL, body.at, body.len))
        message_unref(&message);
    if (message)
        message->persistent = true;
    notice_add(&vhost->notices, message);
    vhost_finish_call(vhost);
}

/* Makes one of these exchanges. */
static void declare(struct vhost *vhost, const char *name)
{
    const struct exchange_declaration declaration = {
        .name = bytes_of_text(name),
        .type = BYTES_LITERAL("topic"),
        .durable = true,
        .internal = true,
    };
    struct exchange *exchange;
    CHECK(topology_restore(vhost->topology, &declaration, &exchange, &vhost->store.call.refusal) ==
          STATUS_OK);
    exchange->predeclared = true;
}

void announce_declare(struct vhost *vhost)
{
    declare(vhost, NOTICE_TRACE_EXCHANGE);
    if (!vhost->options.announces)
        return;
    declare(vhost, NOTICE_EVENT_EXCHANGE);
    declare(vhost, NOTICE_LOG_EXCHANGE);
}

/* Whether something is bound to the exchange of this name. */
static bool listened_to(const struct vhost *vhost, const char *name)
{
    const struct exchange *exchange = topology_exchange(vhost->topology, bytes_of_text(name));
    return exchange && exchange->bindings_from_count > 0;
}

void announce_bound(struct vhost *vhost, const struct binding *binding)
{
    if (bytes_start_with(binding->source->endpoint.name, "amq.rabbitmq."))
        announce_recovered(vhost);
}

void announce_recovered(struct vhost *vhost)
{
    if (!vhost->options.announces || !vhost->options.listened)
        return;
    vhost->options.listened(vhost->options.context, listened_to(vhost, NOTICE_EVENT_EXCHANGE),
                            listened_to(vhost, NOTICE_LOG_EXCHANGE));
}
