/* Declares the exchange and queues of a load. Without a name from the user, queues are named after
 * this process, so that two loads do not share them. */
#include "topology.h"

#include <stdio.h>
#include <unistd.h>

void topology_queue(const struct options *options, unsigned index, char out[TOPOLOGY_NAME_MAX])
{
    char own[64];
    snprintf(own, sizeof own, "leveret-perf-%d", (int)getpid());
    const char *name = options->queue ? options->queue : own;
    if (options->queues == 1)
        snprintf(out, TOPOLOGY_NAME_MAX, "%.240s", name);
    else
        snprintf(out, TOPOLOGY_NAME_MAX, "%.240s-%u", name, index);
}

void topology_key(const struct options *options, unsigned index, char out[TOPOLOGY_NAME_MAX])
{
    if (options->key)
        snprintf(out, TOPOLOGY_NAME_MAX, "%.240s", options->key);
    else
        topology_queue(options, index, out);
}

static enum status make_queue(const struct options *options, struct client *client, unsigned index)
{
    char name[TOPOLOGY_NAME_MAX], key[TOPOLOGY_NAME_MAX];
    topology_queue(options, index, name);
    topology_key(options, index, key);
    struct method method = {.id = METHOD_QUEUE_DECLARE};
    method.u.queue_declare = (struct queue_declare){
        .queue = bytes_of_text(name),
        .durable = options->durable,
        .arguments = text_bytes(&options->queue_arguments),
    };
    enum status status = client_call(client, 1, &method, METHOD_QUEUE_DECLARE_OK, NULL);
    if (status || !options->exchange)
        return status;
    method = (struct method){.id = METHOD_QUEUE_BIND};
    method.u.queue_bind = (struct queue_bind){
        .queue = bytes_of_text(name),
        .exchange = bytes_of_text(options->exchange),
        .routing_key = bytes_of_text(options->binding_key ? options->binding_key : key),
    };
    return client_call(client, 1, &method, METHOD_QUEUE_BIND_OK, NULL);
}

enum status topology_make(const struct options *options, struct client *client)
{
    if (options->predeclared)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (options->exchange) {
        struct method method = {.id = METHOD_EXCHANGE_DECLARE};
        method.u.exchange_declare = (struct exchange_declare){
            .exchange = bytes_of_text(options->exchange),
            .type = bytes_of_text(options->type),
            .durable = options->durable,
        };
        status = client_call(client, 1, &method, METHOD_EXCHANGE_DECLARE_OK, NULL);
    }
    for (unsigned i = 0; !status && i < options->queues; i++)
        status = make_queue(options, client, i);
    return status;
}

enum status topology_unmake(const struct options *options, struct client *client)
{
    if (options->predeclared || options->keep)
        return STATUS_OK;
    enum status status = STATUS_OK;
    for (unsigned i = 0; !status && i < options->queues; i++) {
        char name[TOPOLOGY_NAME_MAX];
        topology_queue(options, i, name);
        struct method method = {.id = METHOD_QUEUE_DELETE};
        method.u.queue_delete.queue = bytes_of_text(name);
        status = client_call(client, 1, &method, METHOD_QUEUE_DELETE_OK, NULL);
    }
    if (!status && options->exchange) {
        struct method method = {.id = METHOD_EXCHANGE_DELETE};
        method.u.exchange_delete.exchange = bytes_of_text(options->exchange);
        status = client_call(client, 1, &method, METHOD_EXCHANGE_DELETE_OK, NULL);
    }
    return status;
}
