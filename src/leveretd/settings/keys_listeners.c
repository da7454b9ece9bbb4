/* Keys of the AMQP listeners: addresses, sockets, TLS. key.h says what a row means. */
#include "leveretd/settings/key.h"

const struct key keys_listeners[] = {
    {KEY_PLAIN("listeners.tcp", KEY_NO_LISTENERS, listeners, NULL)},
    {KEY_PLAIN("listeners.tcp.$name", KEY_LISTENER, listeners, NULL)},
    {KEY_PLAIN("listeners.unix", KEY_TEXT_OR_OFF, unix_path, NULL)},
    {KEY_RANGE("tcp_listen_options.backlog", KEY_COUNT, tcp_backlog, "0", 0, 1000000)},
    {KEY_PLAIN("tcp_listen_options.nodelay", KEY_BOOL, tcp_nodelay, "true")},
    {KEY_PLAIN("tcp_listen_options.keepalive", KEY_BOOL, tcp_keepalive, "false")},
    {KEY_RANGE("tcp_listen_options.sndbuf", KEY_SIZE, tcp_send_bytes, "0", 0, 1024 * MIB)},
    {KEY_RANGE("tcp_listen_options.recbuf", KEY_SIZE, tcp_receive_bytes, "0", 0, 1024 * MIB)},
    {KEY_RANGE("tcp_listen_options.send_timeout", KEY_COUNT, tcp_send_timeout_ms, "0", 0, HOUR_MS)},
    {.name = NULL},
};
