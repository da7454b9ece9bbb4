/* Keys of the AMQP listeners: addresses, sockets, TLS. key.h says what a row means. */
#include "leveretd/settings/key.h"

const struct key keys_listeners[] = {
    {KEY_PLAIN("listeners.tcp", KEY_NO_LISTENERS, listeners, NULL)},
    {KEY_PLAIN("listeners.tcp.$name", KEY_LISTENER, listeners, NULL)},
    {KEY_PLAIN("listeners.unix", KEY_TEXT_OR_OFF, unix_path, NULL)},
    {.name = NULL},
};
