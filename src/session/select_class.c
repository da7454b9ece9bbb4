/* Classes confirm and tx (AMQP 0-9-1, 1.9; https://www.rabbitmq.com/confirms.html): each method
 * becomes its command. */
#include "select_class.h"

#include "session_channel.h"

static void send(struct session_channel *channel, enum command_type type, bool no_wait)
{
    struct command c = {.type = type, .no_wait = no_wait};
    session_channel_command(channel, &c);
}

void select_class_method(struct session_channel *channel, const struct method *method)
{
    switch (method->id) {
    case METHOD_CONFIRM_SELECT:
        send(channel, COMMAND_CONFIRM_SELECT, method->u.confirm_select.nowait);
        break;
    case METHOD_TX_SELECT:
        send(channel, COMMAND_TX_SELECT, false);
        break;
    case METHOD_TX_COMMIT:
        channel->tx_has_publishes = false;
        send(channel, COMMAND_TX_COMMIT, false);
        break;
    case METHOD_TX_ROLLBACK:
        channel->tx_has_publishes = false;
        send(channel, COMMAND_TX_ROLLBACK, false);
        break;
    default:
        session_channel_fail_unexpected(channel, method->id);
    }
}
