/* Looking at messages: see peek.h.
 *
 * Normal course: a link to the vhost and one COMMAND_PEEK; each EVENT_PEEKED adds an object to the
 * answer, and the reply sends it. A user without the permission to read the queue who may monitor
 * sees everything but payloads. What can go wrong: the answer is larger than PEEK_BYTES_MAX: it is
 * sent with the messages that it has, and the link is closed. */
#include "admin/resource/peek.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/body.h"
#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "admin/json/answer.h"
#include "admin/resource/client.h"
#include "admin/resource/message_json.h"
#include "leveret/base/number.h"

/* Bytes of an answer; once it has more, no further message is added. */
#define PEEK_BYTES_MAX ((size_t)64 << 20)

struct peeking {
    struct answer answer;
    struct message_shape shape;
    bool single; /* true: one message is asked for, by its id */
    struct message_place wanted;
};

static void free_peeking(void *work)
{
    answer_free(&((struct peeking *)work)->answer);
    free(work);
}

bool api_message_place(const char *id, struct message_place *out)
{
    uint64_t lane, seq;
    const char *end = number_scan(id, &lane);
    if (!end || *end != '-' || lane > UINT32_MAX || !number_read(end + 1, UINT64_MAX, &seq) ||
        seq == 0)
        return false;
    *out = (struct message_place){(uint32_t)lane, seq};
    return true;
}

/* ---- One message as JSON. */

static void write_delivery(struct answer *a, const struct peeked *peeked)
{
    if (!peeked->delivery_tag || !answer_object(a, "consumer"))
        return;
    answer_bytes(a, "connection", peeked->peer_name);
    answer_uint(a, "channel", peeked->channel);
    answer_bytes(a, "consumer_tag", peeked->consumer_tag);
    answer_uint(a, "delivery_tag", peeked->delivery_tag);
    answer_uint(a, "since", peeked->since_ms);
    answer_end(a);
}

static void write_peeked(struct answer *a, const struct peeked *peeked,
                         const struct message_shape *shape)
{
    static const char *const states[] = {[MESSAGE_STATE_READY] = "ready",
                                         [MESSAGE_STATE_UNACKED] = "unacked",
                                         [MESSAGE_STATE_DYING] = "dying"};
    char id[48];
    snprintf(id, sizeof id, "%u-%llu", peeked->place.lane, (unsigned long long)peeked->place.seq);
    answer_object(a, NULL);
    answer_text(a, "id", id);
    answer_uint(a, "position", peeked->position);
    answer_text(a, "state", states[peeked->state]);
    answer_bool(a, "redelivered", peeked->redelivered);
    answer_uint(a, "delivery_count", peeked->returns);
    if (peeked->expires_ms)
        answer_uint(a, "expires", peeked->expires_ms);
    write_delivery(a, peeked);
    message_json_write(a, peeked->message, shape);
    answer_end(a);
}

/* ---- Asking. */

static void respond_peeked(struct request *r)
{
    struct peeking *p = r->work;
    struct answer answer = p->answer;
    p->answer = (struct answer){0};
    if (!p->single)
        answer_end(&answer);
    respond_json(r, 200, &answer);
}

static void on_peeked(struct request *r, const struct event *event)
{
    struct peeking *p = r->work;
    if (event->type == EVENT_PEEKED) {
        const struct peeked *peeked = event->u.peeked.peeked;
        if (p->single &&
            (peeked->place.lane != p->wanted.lane || peeked->place.seq != p->wanted.seq))
            return; /* the message is gone: this is the one behind it */
        write_peeked(&p->answer, peeked, &p->shape);
        if (p->answer.text.len > PEEK_BYTES_MAX)
            respond_peeked(r);
    } else if (event->type == EVENT_REPLY && event->u.reply.status != STATUS_OK) {
        respond_status(r, event->u.reply.status, event->u.reply.text);
    } else if (event->type == EVENT_REPLY && p->single && p->answer.text.len == 0) {
        respond_not_found(r);
    } else if (event->type == EVENT_REPLY) {
        respond_peeked(r);
    }
}

static bool read_from(struct form *form, struct command *peek)
{
    const char *from = form_text(form, "from", "head");
    peek->u.peek.from_tail = strcmp(from, "tail") == 0;
    if (peek->u.peek.from_tail || strcmp(from, "head") == 0)
        return true;
    if (api_message_place(from, &peek->u.peek.from))
        return true;
    form_refuse(form, "from", "must be \"head\", \"tail\" or a message's id");
    return false;
}

static void read_state(struct form *form, struct command *peek)
{
    static const struct {
        const char *name;
        unsigned states;
    } states[] = {
        {"ready", MESSAGE_STATE_READY}, {"unacked", MESSAGE_STATE_UNACKED},
        {"dying", MESSAGE_STATE_DYING}, {"waiting", 0}, /* no message waits in this version */
        {"all", MESSAGE_STATE_ALL},
    };
    const char *name = form_text(form, "state", "ready");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        if (strcmp(states[i].name, name) != 0)
            continue;
        peek->u.peek.states = (uint8_t)states[i].states;
        return;
    }
    form_refuse(form, "state", "must be ready, unacked, waiting, dying or all");
}

static void read_shape(struct form *form, struct message_shape *shape)
{
    const char *encoding = form_text(form, "encoding", "auto");
    shape->base64 = strcmp(encoding, "base64") == 0;
    if (!shape->base64 && strcmp(encoding, "auto") != 0)
        form_refuse(form, "encoding", "must be auto or base64");
    shape->truncate = (uint64_t)form_int_or_text(form, "truncate", INT64_MAX, 0, INT64_MAX);
    shape->no_payload = form_bool(form, "headers_only", false);
}

/* Sends the peek, which is to be the request's only command. */
static void ask(struct request *r, const struct command *peek)
{
    if (client_open(r, request_vhost(r), on_peeked))
        client_send(r, *peek);
}

/* Returns false when the user may not look into the queue, and has answered. */
static bool may_look(struct request *r)
{
    struct peeking *p = r->work;
    struct bytes vhost = request_vhost(r);
    if (access_has(r, PERMISSION_READ, vhost, r->args[1]))
        return true;
    p->shape.no_payload = true;
    if (r->rights & RIGHT_MONITORING)
        return true;
    respond_refused(r);
    return false;
}

static void peek_by(struct request *r, struct form *form)
{
    struct peeking *p = request_work(r, sizeof *p, free_peeking);
    struct command peek = {.type = COMMAND_PEEK};
    peek.u.peek.queue = r->args[1];
    (void)read_from(form, &peek);
    read_state(form, &peek);
    read_shape(form, &p->shape);
    peek.u.peek.offset = (uint64_t)form_int_or_text(form, "offset", 0, 0, INT64_MAX);
    peek.u.peek.count = (uint32_t)form_int_or_text(form, "count", 1, 0, PEEK_MAX);
    if (form_has(form, "filter"))
        form_refuse(form, "filter", "filters are not supported");
    if (!body_ok(r, form) || !may_look(r))
        return;
    answer_array(&p->answer, NULL);
    ask(r, &peek);
}

static void peek_by_body(struct request *r)
{
    struct form form = body_form(r);
    peek_by(r, &form);
}

/* The fields of the query as an object of strings, which a form takes like those of a body. */
static void peek_by_query(struct request *r)
{
    static const char *const names[] = {"from",     "offset",   "count",        "state", "filter",
                                        "encoding", "truncate", "headers_only", NULL};
    char why[VALUE_WHY_MAX];
    struct answer a = {0};
    struct value *fields = NULL;
    answer_object(&a, NULL);
    for (const char *const *name = names; *name; name++) {
        char *value = request_query(r, *name);
        if (value)
            answer_text(&a, *name, value);
        free(value);
    }
    answer_end(&a);
    if (value_parse(text_bytes(&a.text), &fields, why) != STATUS_OK) {
        answer_free(&a);
        respond_bad_request(r, "%s", why);
        return;
    }
    answer_free(&a);
    value_free(&r->json);
    r->json = fields;
    peek_by_body(r);
}

/* ---- One message. */

static bool read_id(struct request *r, struct message_place *out)
{
    if (api_message_place((const char *)r->args[2].at, out))
        return true;
    respond_not_found(r);
    return false;
}

static void get_message(struct request *r)
{
    struct peeking *p = request_work(r, sizeof *p, free_peeking);
    struct command peek = {.type = COMMAND_PEEK};
    p->single = true;
    p->shape.truncate = UINT64_MAX;
    if (!read_id(r, &p->wanted) || !may_look(r))
        return;
    peek.u.peek.queue = r->args[1];
    peek.u.peek.from = p->wanted;
    peek.u.peek.states = MESSAGE_STATE_ALL;
    peek.u.peek.count = 1;
    ask(r, &peek);
}

static void dropped(struct request *r, const struct event *reply)
{
    if (reply->u.reply.status == STATUS_RESOURCE_LOCKED)
        respond_error(r, 409, "conflict", reply->u.reply.text);
    else if (reply->u.reply.status == STATUS_OK)
        respond_empty(r, 204);
    else
        respond_status(r, reply->u.reply.status, reply->u.reply.text);
}

static void delete_message(struct request *r)
{
    struct command drop = {.type = COMMAND_DROP_MESSAGE};
    drop.u.drop_message.queue = r->args[1];
    if (read_id(r, &drop.u.drop_message.place) &&
        access_allowed(r, PERMISSION_READ, request_vhost(r), r->args[1]))
        client_command(r, request_vhost(r), &drop, dropped);
}

/* ---- Routes. */

const struct route api_peek[] = {
    {METHOD_POST, "/api/queues/:v/:q/peek", peek_by_body, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/queues/:v/:q/peek", peek_by_query, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/queues/:v/:q/messages/:id", get_message, ACCESS_USER, BODY_SMALL},
    {METHOD_DELETE, "/api/queues/:v/:q/messages/:id", delete_message, ACCESS_VHOST, BODY_SMALL},
    ROUTES_END,
};
