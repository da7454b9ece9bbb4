/* Part of the api: what an exchange routes, as events.
 *
 *   GET /api/exchanges/:v/:x/tail?key=#     {"routing_key", "properties", "payload" …} for each
 * message
 *
 * Normal course: a queue of the server's own, exclusive to the request's link, is bound to the
 * exchange and consumed. Every EVENTS_POLL_MS what has come is acknowledged, so that at most
 * PREFETCH messages come in that time. What can go wrong: the user may not read the exchange (401);
 * there is no such exchange (404); the client, or this pace, is too slow: the queue keeps
 * QUEUE_MESSAGES_MAX messages and drops the oldest ones, and the event "lost" says how many. */
#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/events.h"
#include "admin/resource/client.h"
#include "admin/resource/exchanges.h"
#include "admin/resource/message_json.h"
#include "leveret/base/random.h"
#include "leveret/wire/table.h"

/* Messages that come between two polls, and that wait in the queue, with their bytes. */
#define PREFETCH           250u
#define QUEUE_MESSAGES_MAX 1000
#define QUEUE_BYTES_MAX    1048576
/* Bytes of a payload that are told. */
#define PAYLOAD_BYTES_MAX 4096u
/* Polls between two looks at how many messages were lost. */
#define LOOK_POLLS 10u

#define QUEUE_PREFIX "amq.gen-tail-"
#define QUEUE_RANDOM 9u /* bytes */

struct tailing {
    char queue[sizeof QUEUE_PREFIX + 2 * QUEUE_RANDOM];
    char *key;
    uint64_t tag;    /* of the last delivery; 0: none has come since the last ack */
    uint32_t credit; /* bytes of deliveries to be given back */
    unsigned polls;  /* since the last look */
    uint64_t lost, lost_told;
};

static void free_tailing(void *work)
{
    free(((struct tailing *)work)->key);
    free(work);
}

/* ---- What was lost. */

/* On the owner. What came into the queue is there, was settled, or was dropped. */
static void look(struct vhost *vhost, void *argument)
{
    struct tailing *t = argument;
    struct queue_info info;
    if (!vhost_find_queue(vhost, bytes_of_text(t->queue), &info))
        return;
    uint64_t there = info.messages_ready + info.messages_unacknowledged + info.rates.ack;
    t->lost = info.rates.publish > there ? info.rates.publish - there : 0;
}

static void looked(struct request *r)
{
    struct tailing *t = r->work;
    if (t->lost > t->lost_told) {
        events_send_lost(r, t->lost - t->lost_told);
        t->lost_told = t->lost;
    }
}

/* ---- Messages. */

static void tell(struct request *r, const struct event *event)
{
    static const struct message_shape shape = {.truncate = PAYLOAD_BYTES_MAX};
    struct tailing *t = r->work;
    struct answer a = {0};
    answer_object(&a, NULL);
    message_json_write(&a, event->u.deliver.message, &shape);
    answer_end(&a);
    events_send(r, NULL, text_bytes(&a.text));
    answer_free(&a);
    t->tag = event->u.deliver.tag;
    t->credit += delivery_bytes(event->u.deliver.message);
}

static bool poll(struct request *r)
{
    struct tailing *t = r->work;
    struct command ack = {.type = COMMAND_ACK}, credit = {.type = COMMAND_CREDIT};
    if (!r->client)
        return false;
    if (t->tag) {
        ack.u.ack.tag = t->tag;
        ack.u.ack.multiple = true;
        credit.u.credit.bytes = t->credit;
        t->tag = 0;
        t->credit = 0;
        client_send(r, ack);
        client_send(r, credit);
    }
    if (++t->polls < LOOK_POLLS)
        return true;
    t->polls = 0;
    return request_try(r, request_vhost(r), look, t, looked) == STATUS_OK;
}

/* ---- The beginning. */

static void refuse(struct request *r, const struct event *reply)
{
    enum status status = reply->u.reply.status;
    char reason[600];
    snprintf(reason, sizeof reason, "%s - %s", respond_code_name(status),
             reply->u.reply.text ? reply->u.reply.text : "");
    if (r->events)
        events_end(r);
    else if (status == STATUS_NOT_FOUND)
        respond_not_found(r);
    else if (status == STATUS_ACCESS_REFUSED)
        respond_error(r, 401, "not_authorised", reason);
    else
        respond_error(r, 400, "bad_request", reason);
}

static void on_event(struct request *r, const struct event *event)
{
    if (event->type == EVENT_DELIVER && r->events)
        tell(r, event);
    else if (event->type == EVENT_CANCELLED && r->events)
        events_end(r); /* somebody has deleted the queue */
    else if (event->type == EVENT_REPLY && event->u.reply.status != STATUS_OK)
        refuse(r, event);
    else if (event->type == EVENT_REPLY && event->u.reply.command == COMMAND_CONSUME) {
        client_wait(r);
        events_begin(r, poll);
    }
}

static void declare_queue(struct request *r, const struct tailing *t)
{
    struct command declare = {.type = COMMAND_QUEUE_DECLARE};
    struct text arguments = {0};
    table_put_i32(&arguments, "x-max-length", QUEUE_MESSAGES_MAX);
    table_put_i32(&arguments, "x-max-length-bytes", QUEUE_BYTES_MAX);
    declare.u.queue_declare.name = bytes_of_text(t->queue);
    declare.u.queue_declare.arguments = text_bytes(&arguments);
    declare.u.queue_declare.exclusive = true;
    declare.u.queue_declare.auto_delete = true;
    declare.u.queue_declare.server_named = true;
    client_send(r, declare);
    text_free(&arguments);
}

static void tail_exchange(struct request *r)
{
    struct bytes vhost = request_vhost(r), exchange = request_exchange(r, 1);
    struct command bind = {.type = COMMAND_QUEUE_BIND}, qos = {.type = COMMAND_QOS};
    struct command consume = {.type = COMMAND_CONSUME};
    if (!access_allowed(r, PERMISSION_READ, vhost, exchange))
        return;
    struct tailing *t = request_work(r, sizeof *t, free_tailing);
    t->key = request_query(r, "key");
    memcpy(t->queue, QUEUE_PREFIX, sizeof QUEUE_PREFIX);
    random_hex(t->queue + sizeof QUEUE_PREFIX - 1, QUEUE_RANDOM);
    if (!client_open(r, vhost, on_event))
        return;
    bind.u.bind.source = exchange;
    bind.u.bind.destination = bytes_of_text(t->queue);
    bind.u.bind.routing_key = bytes_of_text(t->key ? t->key : "#");
    qos.u.qos.prefetch_count = PREFETCH;
    consume.u.consume.queue = bytes_of_text(t->queue);
    consume.u.consume.tag = BYTES_LITERAL("tail");
    declare_queue(r, t);
    client_check_binding(r, vhost, &bind);
    client_send(r, bind);
    client_send(r, qos);
    client_send(r, consume);
}

/* ---- Routes. */

const struct route api_exchange_tail[] = {
    {METHOD_GET, "/api/exchanges/:v/:x/tail", tail_exchange, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
