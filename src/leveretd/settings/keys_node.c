/* Keys of the node itself: data, threads, names, definitions, and the dialect that it speaks. key.h
 * says what a row means. */
#include "leveret/base/identity.h"
#include "leveretd/settings/compatibility.h"
#include "leveretd/settings/key.h"

const struct key keys_node[] = {
    {KEY_CHOICE("compatibility", compatibility, COMPATIBILITY_WORDS)},
    {KEY_CHOICE("quorum_queue.delivery_count", delivery_count, "returns", "failures")},
    {KEY_CHOICE("x_death.from_clients", x_death, "count", "ignore")},
    {KEY_CHOICE("consumer_timeout.action", consumer_timeout_action, "cancel", "close")},
    {KEY_PLAIN("load_definitions", KEY_TEXT, load_definitions, NULL)},
    {KEY_PLAIN("management.load_definitions", KEY_TEXT, load_definitions, NULL)},
    {KEY_PLAIN("definitions.local.path", KEY_TEXT, load_definitions, NULL)},
    {KEY_CHOICE("definitions.import_backend", definitions_backend, "local_filesystem")},
    {KEY_PLAIN("definitions.skip_if_unchanged", KEY_BOOL, definitions_skip_unchanged, "false")},
    {KEY_PLAIN("data_dir", KEY_TEXT_OR_OFF, data_dir, LEVERET_DATA_DIR)},
    {KEY_PLAIN("control_socket", KEY_TEXT_OR_OFF, control_socket, "control.sock")},
    {KEY_RANGE("workers", KEY_COUNT, workers, "0", 0, 256)},
    {KEY_RANGE("journal.writers", KEY_COUNT, writers, "2", 1, 16)},
    {KEY_PLAIN("server_properties.product", KEY_TEXT, product, DIALECT_PRODUCT)},
    {KEY_PLAIN("server_properties.version", KEY_TEXT, version, DIALECT_VERSION)},
    {KEY_PLAIN("cluster_name", KEY_TEXT, cluster_name, NULL)},
    {KEY_PLAIN("cluster_tags.$tag", KEY_TAG, cluster_tags, NULL)},
    {KEY_PLAIN("node_tags.$tag", KEY_TAG, node_tags, NULL)},
    {KEY_PLAIN("event_exchange.vhost", KEY_TEXT, event_vhost, NULL)},
    {KEY_PLAIN("product.name", KEY_TEXT, product_name, NULL)},
    {KEY_PLAIN("product.version", KEY_TEXT, product_version, NULL)},
    {KEY_PLAIN("motd_file", KEY_TEXT_OR_OFF, motd_file, NULL)},
    {KEY_PLAIN("node_name", KEY_TEXT, node_name, NULL)},
    {KEY_PLAIN("nodename", KEY_TEXT, node_name, NULL)},
    {KEY_PLAIN("pid_file", KEY_TEXT_OR_OFF, pid_file, NULL)},
    {KEY_PLAIN("config.lenient", KEY_BOOL, lenient, "false")},
    {.name = NULL},
};
