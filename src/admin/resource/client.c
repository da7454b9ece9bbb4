/* Links of requests.
 *
 * Normal course: link_open, COMMAND_CHANNEL_OPEN, the request's commands; events go to the request,
 * which is answered; that closes the link. The client lives on until EVENT_DETACHED comes, the last
 * event of a link. What can go wrong: the vhost is deleted (EVENT_DETACHED comes before the request
 * is answered: 404); the link is silent for CLIENT_TIMEOUT_MS (503). */
#include "admin/resource/client.h"

#include <stdlib.h>

#include "admin/http/events.h"
#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "leveret/auth/topic_permissions.h"
#include "leveret/base/mem.h"
#include "leveret/broker/publication.h"

struct client {
    struct request
        *request; /* NULL: it has been answered, and the client waits for EVENT_DETACHED */
    struct link *link;
    struct timer *timer;
    bool waits; /* true: the link may be silent for as long as it likes */
    void (*event)(struct request *request, const struct event *event);
};

static void client_free(struct client *client)
{
    timer_free(&client->timer);
    free(client);
}

static void on_event(void *context, const struct event *event)
{
    struct client *client = context;
    struct request *r = client->request;
    if (event->type == EVENT_DETACHED) {
        client_free(client);
        if (r) {
            r->client = NULL;
            if (r->events)
                events_end(r);
            else
                respond_not_found(r);
        }
    } else if (r) {
        bool opened = event->type == EVENT_REPLY &&
                      event->u.reply.command == COMMAND_CHANNEL_OPEN &&
                      event->u.reply.status == STATUS_OK;
        if (!client->waits)
            timer_set(client->timer, CLIENT_TIMEOUT_MS);
        if (!opened && event->type != EVENT_GATE)
            client->event(r, event);
    }
}

static void on_timeout(void *context)
{
    struct client *client = context;
    if (client->request)
        respond_error(client->request, 503, "service_unavailable",
                      "no answer from the virtual host in time");
}

enum status client_try(struct request *request, struct bytes vhost,
                       void (*event)(struct request *request, const struct event *event))
{
    struct client *client = mem_need(sizeof *client);
    const struct link_options options = {
        .loop = request->admin->options.loop,
        .event = on_event,
        .context = client,
        .name = BYTES_LITERAL(CLIENT_NAME),
        .user = bytes_of_text(request->user),
    };
    client->event = event;
    enum status status = link_open(request->admin->options.node, vhost, &options, &client->link);
    if (status != STATUS_OK) {
        free(client);
        return status;
    }
    client->request = request;
    client->timer = timer_new(request->admin->options.loop, on_timeout, client);
    timer_set(client->timer, CLIENT_TIMEOUT_MS);
    request->client = client;
    request->close_client = client_close;
    client_send(request, (struct command){.type = COMMAND_CHANNEL_OPEN});
    return STATUS_OK;
}

bool client_open(struct request *request, struct bytes vhost,
                 void (*event)(struct request *request, const struct event *event))
{
    if (client_try(request, vhost, event) == STATUS_OK)
        return true;
    respond_vhost_missing(request, vhost);
    return false;
}

void client_send(struct request *request, struct command command)
{
    if (command.channel == 0)
        command.channel = CLIENT_CHANNEL;
    link_send(request->client->link, &command);
}

void client_wait(struct request *request)
{
    request->client->waits = true;
    timer_clear(request->client->timer);
}

void client_close(struct request *request)
{
    struct client *client = request->client;
    request->client = NULL;
    client->request = NULL;
    timer_free(&client->timer);
    link_close(client->link);
}

/* ---- Topic permissions. */

struct topic_check {
    struct request *request;
    struct topic_use use;
    enum command_type checked;
};

/* Returns false when the key is not allowed: one refusal is enough. */
static bool check_key(void *context, struct bytes key)
{
    struct topic_check *check = context;
    check->use.routing_key = key;
    if (auth_topic_allowed(check->request->admin->options.auth, &check->use))
        return true;
    struct command command = {.type = COMMAND_TOPIC_CHECK, .no_wait = true};
    command.u.topic_check.exchange = check->use.exchange;
    command.u.topic_check.routing_key = key;
    command.u.topic_check.user = check->use.user;
    command.u.topic_check.checked = check->checked;
    client_send(check->request, command);
    return false;
}

void client_check_topics(struct request *request, struct bytes vhost, const struct message *message)
{
    struct topic_check check = {
        .request = request,
        .use = {.user = bytes_of_text(request->user),
                .vhost = vhost,
                .exchange = message_exchange(message),
                .permission = PERMISSION_WRITE},
        .checked = COMMAND_PUBLISH,
    };
    publication_each_key(message, check_key, &check);
}

void client_check_binding(struct request *request, struct bytes vhost,
                          const struct command *command)
{
    struct topic_check check = {
        .request = request,
        .use = {.user = bytes_of_text(request->user),
                .vhost = vhost,
                .exchange = command->u.bind.source,
                .permission = PERMISSION_READ},
        .checked = command->type,
    };
    (void)check_key(&check, command->u.bind.routing_key);
}

/* ---- One command. */

struct single {
    void (*done)(struct request *request, const struct event *reply);
};

static void on_single(struct request *r, const struct event *event)
{
    struct single *single = r->work;
    if (event->type == EVENT_REPLY)
        single->done(r, event);
}

void client_command(struct request *request, struct bytes vhost, const struct command *command,
                    void (*done)(struct request *request, const struct event *reply))
{
    struct single *single = request_work(request, sizeof *single, free);
    single->done = done;
    if (!client_open(request, vhost, on_single))
        return;
    if (command->type == COMMAND_QUEUE_BIND || command->type == COMMAND_EXCHANGE_BIND ||
        command->type == COMMAND_QUEUE_UNBIND || command->type == COMMAND_EXCHANGE_UNBIND)
        client_check_binding(request, vhost, command);
    client_send(request, *command);
}
