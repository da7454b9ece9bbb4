/* Part of the api: publishing and getting messages, and the aliveness test. A request does these
 * over a link, as a client of the vhost (client.h).
 *
 * Normal course of publishing: confirm.select, then the message as mandatory. A return, if there is
 * one, comes before the confirm; when the confirm comes the request is answered, so the answer
 * promises what a confirm promises. Normal course of getting: basic.get for each message, then one
 * nack for all of them if they are to go back, then channel.close; the request is answered when
 * that is done, so all messages are back by then. What can go wrong: the broker refuses (the answer
 * tells its text); no confirm comes because the disk is full (503 after CLIENT_TIMEOUT_MS). */
#include "admin/resource/messages.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/json/properties_json.h"
#include "admin/resource/client.h"
#include "admin/resource/message_json.h"
#include "leveret/base/base64.h"
#include "leveret/broker/publication.h"

/* Bytes of an answer with messages; once it has more, no further message is got, so that it may
 * have fewer messages than were asked for. */
#define GET_BYTES_MAX ((size_t)64 << 20)

/* Bytes of encoded properties: with a content header around them they fit into a frame of the
 * default frame_max. A message with more is refused with 400, since no client could receive it. */
#define PROPERTIES_BYTES_MAX (131072u - 64u)

/* ---- A message from JSON. */

/* Makes a message. NULL: it cannot be made, and that has been answered. */
static struct message *make_message(struct request *r, struct bytes exchange,
                                    struct bytes routing_key, const struct properties *p,
                                    struct bytes payload)
{
    char why[PUBLICATION_WHY_MAX];
    struct text encoded = {0};
    struct message *message;
    properties_encode(p, &encoded);
    if (encoded.len > PROPERTIES_BYTES_MAX) {
        text_free(&encoded);
        respond_bad_request(r, "properties: more than %u bytes", PROPERTIES_BYTES_MAX);
        return NULL;
    }
    const struct publication publication = {
        .exchange = exchange,
        .routing_key = routing_key,
        .properties = text_bytes(&encoded),
        .body_bytes = payload.len,
        .body_bytes_max = UINT64_MAX, /* the core checks the vhost's limit */
        .user = r->user,
    };
    enum status status = publication_message(&publication, &message, why);
    struct buffer *buffer = message && payload.len ? buffer_new(payload.len) : NULL;
    text_free(&encoded);
    if (message && payload.len) {
        if (buffer)
            memcpy(buffer->data, payload.at, payload.len);
        if (!buffer || message_fill(message, buffer, buffer->data, payload.len) != STATUS_OK) {
            message_unref(&message);
            status = STATUS_NO_MEMORY;
        }
        buffer_unref(&buffer);
    }
    if (status == STATUS_NO_MEMORY)
        respond_status(r, status, NULL);
    else if (status != STATUS_OK)
        respond_bad_request(r, "%s - %s", respond_code_name(status), why);
    return message;
}

/* Reads the payload, which may be encoded as base64: *decoded is then set, and the caller frees it.
 * Returns false when it is wrong, and has answered. */
static bool read_payload(struct request *r, struct form *form, struct bytes *out, uint8_t **decoded)
{
    const char *encoding = form_text(form, "payload_encoding", "");
    *decoded = NULL;
    *out = form_bytes(form, "payload", bytes_of("", 0));
    if (!body_ok(r, form))
        return false;
    if (strcmp(encoding, "string") == 0)
        return true;
    if (strcmp(encoding, "base64") != 0) {
        respond_bad_pair(r, "unsupported_encoding", bytes_of_text(encoding));
        return false;
    }
    *decoded = base64_decode(*out, &out->len);
    if (!*decoded) {
        respond_bad_pair(r, "not_base64", form_bytes(form, "payload", bytes_of("", 0)));
        return false;
    }
    out->at = *decoded;
    return true;
}

/* Makes the message that the request's body has. NULL: it is wrong, and that has been answered. */
static struct message *message_from_body(struct request *r)
{
    static const char *const keys[] = {"properties", "routing_key", "payload", "payload_encoding",
                                       NULL};
    struct form form = body_form(r);
    struct properties p;
    struct text headers;
    struct bytes payload;
    struct message *message = NULL;
    uint8_t *decoded = NULL;
    form_need(&form, keys);
    struct bytes routing_key = form_name(&form, "routing_key", bytes_of("", 0));
    form_properties(&form, "properties", &p, &headers);
    if (read_payload(r, &form, &payload, &decoded))
        message = make_message(r, request_exchange(r, 1), routing_key, &p, payload);
    free(decoded);
    text_free(&headers);
    return message;
}

/* ---- Publishing. */

struct publish_work {
    bool returned; /* true once the message has come back: no queue got it */
};

static void respond_routed(struct request *r, bool routed)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_bool(&a, "routed", routed);
    answer_end(&a);
    respond_json(r, 200, &a);
}

static void on_published(struct request *r, const struct event *event)
{
    struct publish_work *publishing = r->work;
    if (event->type == EVENT_RETURN)
        publishing->returned = true;
    else if (event->type == EVENT_CONFIRM)
        respond_routed(r, !publishing->returned && !event->u.confirm.nack);
    else if (event->type == EVENT_REPLY && event->u.reply.status != STATUS_OK)
        respond_bad_request(r, "%s - %s", respond_code_name(event->u.reply.status),
                            event->u.reply.text ? event->u.reply.text : "");
}

static void publish_message(struct request *r)
{
    struct bytes vhost = request_vhost(r);
    struct command publish = {.type = COMMAND_PUBLISH};
    if (!access_allowed(r, PERMISSION_WRITE, vhost, request_exchange(r, 1)))
        return;
    struct message *message = message_from_body(r);
    if (!message)
        return;
    request_work(r, sizeof(struct publish_work), free);
    if (!client_open(r, vhost, on_published)) {
        message_unref(&message);
        return;
    }
    publish.u.publish.message = message;
    publish.u.publish.mandatory = true;
    client_send(r, (struct command){.type = COMMAND_CONFIRM_SELECT});
    client_check_topics(r, vhost, message);
    client_send(r, publish);
}

/* ---- Getting. */

struct getting {
    struct answer answer;
    uint64_t left; /* messages that are still to be got */
    struct message_shape shape;
    bool no_ack;    /* true: the messages are taken from the queue at once */
    bool requeue;   /* true: they go back into the queue; false: they are rejected for good */
    bool hand_back; /* true: by basic.nack, which counts as no failed delivery; false: by reject */
    bool unsettled; /* true once there is a message to go back or to be rejected */
};

static void free_getting(void *work)
{
    answer_free(&((struct getting *)work)->answer);
    free(work);
}

static void tell_message(struct getting *g, const struct event *event)
{
    struct answer *a = &g->answer;
    answer_object(a, NULL);
    answer_bool(a, "redelivered", event->got.redelivered);
    answer_uint(a, "message_count", event->u.reply.messages);
    message_json_write(a, event->got.message, &g->shape);
    answer_end(a);
}

static void get_next(struct request *r)
{
    const struct getting *g = r->work;
    struct command command = {.type = COMMAND_GET};
    command.u.get.queue = r->args[1];
    command.u.get.no_ack = g->no_ack;
    client_send(r, command);
}

static void put_back(struct request *r)
{
    const struct getting *g = r->work;
    struct command nack = {.type = g->hand_back ? COMMAND_NACK : COMMAND_REJECT};
    nack.u.ack.multiple = true;
    nack.u.ack.requeue = g->requeue;
    if (g->unsettled)
        client_send(r, nack);
    client_send(r, (struct command){.type = COMMAND_CHANNEL_CLOSE});
}

static void on_got(struct request *r, const struct event *event)
{
    struct getting *g = r->work;
    if (event->type != EVENT_REPLY)
        return;
    if (event->u.reply.status == STATUS_NOT_FOUND) {
        char reason[600];
        snprintf(reason, sizeof reason, "NOT_FOUND - %s", event->u.reply.text);
        respond_error(r, 404, "not_found", reason);
    } else if (event->u.reply.status != STATUS_OK) {
        respond_bad_request(r, "%s - %s", respond_code_name(event->u.reply.status),
                            event->u.reply.text ? event->u.reply.text : "");
    } else if (event->u.reply.command == COMMAND_CHANNEL_CLOSE) {
        struct answer answer = g->answer;
        g->answer = (struct answer){0};
        answer_end(&answer);
        respond_json(r, 200, &answer);
    } else if (event->u.reply.command == COMMAND_GET) {
        if (!event->u.reply.empty) {
            tell_message(g, event);
            g->unsettled = !g->no_ack;
            g->left--;
        }
        if (event->u.reply.empty || g->left == 0 || g->answer.text.len > GET_BYTES_MAX)
            put_back(r);
        else
            get_next(r);
    }
}

static const struct {
    const char *name;
    bool no_ack, requeue, hand_back;
} ack_modes[] = {
    {"ack_requeue_true", false, true, true},
    {"ack_requeue_false", true, false, false},
    {"reject_requeue_true", false, true, false},
    {"reject_requeue_false", false, false, false},
};

static bool read_ack_mode(struct request *r, const char *mode, struct getting *g)
{
    for (size_t i = 0; i < sizeof ack_modes / sizeof *ack_modes; i++) {
        if (strcmp(ack_modes[i].name, mode) != 0)
            continue;
        g->no_ack = ack_modes[i].no_ack;
        g->requeue = ack_modes[i].requeue;
        g->hand_back = ack_modes[i].hand_back;
        return true;
    }
    respond_bad_pair(r, "unknown_ackmode", bytes_of_text(mode));
    return false;
}

/* Reads a number, or a string that holds one, which rabbitmqadmin sends. One below 0 stands for no
 * limit. */
static uint64_t read_count(struct form *form, const char *key)
{
    int64_t number = form_int_or_text(form, key, -1, INT64_MIN, INT64_MAX);
    return number < 0 ? UINT64_MAX : (uint64_t)number;
}

/* Reads the body of a request for messages. Returns false when it is wrong, and has answered. */
static bool read_get(struct request *r, struct getting *g)
{
    static const char *const keys[] = {"ackmode", "count", "encoding", NULL};
    struct form form = body_form(r);
    form_need(&form, keys);
    const char *mode = form_text(&form, "ackmode", "");
    const char *encoding = form_text(&form, "encoding", "");
    g->left = read_count(&form, "count");
    g->shape.truncate = read_count(&form, "truncate");
    if (!body_ok(r, &form) || !read_ack_mode(r, mode, g))
        return false;
    g->shape.base64 = strcmp(encoding, "base64") == 0;
    if (!g->shape.base64 && strcmp(encoding, "auto") != 0) {
        respond_bad_request(r, "Unsupported encoding. Please use auto or base64.");
        return false;
    }
    return true;
}

static void get_messages(struct request *r)
{
    struct getting *g = request_work(r, sizeof *g, free_getting);
    struct bytes vhost = request_vhost(r);
    if (!read_get(r, g) || !access_allowed(r, PERMISSION_READ, vhost, r->args[1]))
        return;
    answer_array(&g->answer, NULL);
    if (!client_open(r, vhost, on_got))
        return;
    if (g->left)
        get_next(r);
    else
        put_back(r);
}

/* ---- The aliveness test: a message goes through a queue of its own. */

#define ALIVENESS_QUEUE "aliveness-test"

static void on_alive(struct request *r, const struct event *event)
{
    if (event->type != EVENT_REPLY)
        return;
    if (event->u.reply.status != STATUS_OK) {
        respond_status(r, event->u.reply.status, event->u.reply.text);
    } else if (event->u.reply.command == COMMAND_GET) {
        struct answer a = {0};
        answer_object(&a, NULL);
        answer_text(&a, "status", event->u.reply.empty ? "failed" : "ok");
        answer_end(&a);
        respond_json(r, event->u.reply.empty ? 503 : 200, &a);
    }
}

static void test_aliveness(struct request *r)
{
    const struct properties none = {0};
    const struct bytes queue = BYTES_LITERAL(ALIVENESS_QUEUE);
    struct bytes vhost = request_vhost(r);
    struct command declare = {.type = COMMAND_QUEUE_DECLARE};
    struct command publish = {.type = COMMAND_PUBLISH}, get = {.type = COMMAND_GET};
    if (!access_allowed(r, PERMISSION_CONFIGURE, vhost, queue) ||
        !access_allowed(r, PERMISSION_READ, vhost, queue))
        return;
    struct message *message =
        make_message(r, bytes_of("", 0), queue, &none, BYTES_LITERAL("test_message"));
    if (!message)
        return;
    if (!client_open(r, vhost, on_alive)) {
        message_unref(&message);
        return;
    }
    declare.u.queue_declare.name = queue;
    publish.u.publish.message = message;
    get.u.get.queue = queue;
    get.u.get.no_ack = true;
    client_send(r, declare);
    client_send(r, publish);
    client_send(r, get);
}

/* ---- Routes. */

const struct route api_messages[] = {
    {METHOD_POST, "/api/exchanges/:v/:x/publish", publish_message, ACCESS_VHOST, BODY_MESSAGE},
    {METHOD_POST, "/api/queues/:v/:q/get", get_messages, ACCESS_VHOST, BODY_SMALL},
    {METHOD_GET, "/api/aliveness-test/:v", test_aliveness, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
