/* See link_copy.h. */
#include "link_copy.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

/* The views of a command or an event, at most. */
#define VIEWS_MAX 4

/* Copies the count views into one block, which the receiver frees, and points them there. NULL: all
 * of them are empty. */
static void *gather_views(struct bytes *const views[], size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += views[i]->len;
    if (total == 0)
        return NULL;
    uint8_t *block = mem_need(total), *at = block;
    for (size_t i = 0; i < count; i++) {
        if (views[i]->len)
            memcpy(at, views[i]->at, views[i]->len);
        views[i]->at = at;
        at += views[i]->len;
    }
    return block;
}

static size_t command_views(struct command *c, struct bytes *views[VIEWS_MAX])
{
    size_t n = 0;
    switch (c->type) {
    case COMMAND_EXCHANGE_DECLARE:
        views[n++] = &c->u.exchange_declare.name;
        views[n++] = &c->u.exchange_declare.type;
        views[n++] = &c->u.exchange_declare.arguments;
        break;
    case COMMAND_EXCHANGE_DELETE:
        views[n++] = &c->u.exchange_delete.name;
        break;
    case COMMAND_EXCHANGE_BIND:
    case COMMAND_EXCHANGE_UNBIND:
    case COMMAND_QUEUE_BIND:
    case COMMAND_QUEUE_UNBIND:
        views[n++] = &c->u.bind.source;
        views[n++] = &c->u.bind.destination;
        views[n++] = &c->u.bind.routing_key;
        views[n++] = &c->u.bind.arguments;
        break;
    case COMMAND_TOPIC_CHECK:
        views[n++] = &c->u.topic_check.exchange;
        views[n++] = &c->u.topic_check.routing_key;
        views[n++] = &c->u.topic_check.user;
        break;
    case COMMAND_QUEUE_DECLARE:
        views[n++] = &c->u.queue_declare.name;
        views[n++] = &c->u.queue_declare.arguments;
        break;
    case COMMAND_QUEUE_DELETE:
        views[n++] = &c->u.queue_delete.name;
        break;
    case COMMAND_QUEUE_PAUSE:
        views[n++] = &c->u.queue_pause.name;
        break;
    case COMMAND_QUEUE_PURGE:
        views[n++] = &c->u.queue_purge.name;
        break;
    case COMMAND_CONSUME:
        views[n++] = &c->u.consume.queue;
        views[n++] = &c->u.consume.arguments;
        views[n++] = &c->u.consume.tag;
        break;
    case COMMAND_GET:
        views[n++] = &c->u.get.queue;
        break;
    case COMMAND_MOVE:
        views[n++] = &c->u.move.queue;
        views[n++] = &c->u.move.to_queue;
        views[n++] = &c->u.move.exchange;
        views[n++] = &c->u.move.routing_key;
        break;
    case COMMAND_PEEK:
        views[n++] = &c->u.peek.queue;
        break;
    case COMMAND_DROP_MESSAGE:
        views[n++] = &c->u.drop_message.queue;
        break;
    case COMMAND_POLICY_PUT:
    case COMMAND_POLICY_DELETE:
        views[n++] = &c->u.policy.name;
        views[n++] = &c->u.policy.pattern;
        views[n++] = &c->u.policy.definition;
        break;
    default:
        break;
    }
    return n;
}

void *link_copy_command(struct command *command)
{
    struct bytes *views[VIEWS_MAX];
    return gather_views(views, command_views(command, views));
}

void link_copy_drop_command(struct command *command)
{
    if (command->type == COMMAND_PUBLISH)
        message_unref(&command->u.publish.message);
}

/* Copies what EVENT_PEEKED shows into one block, with its texts behind it. */
static void *copy_peeked(struct event *e)
{
    const struct peeked *from = e->u.peeked.peeked;
    struct peeked *to = mem_need(sizeof *to + from->peer_name.len + from->consumer_tag.len);
    uint8_t *at = (uint8_t *)(to + 1);
    *to = *from;
    message_ref(to->message);
    if (from->peer_name.len)
        memcpy(at, from->peer_name.at, from->peer_name.len);
    to->peer_name.at = at;
    at += from->peer_name.len;
    if (from->consumer_tag.len)
        memcpy(at, from->consumer_tag.at, from->consumer_tag.len);
    to->consumer_tag.at = at;
    e->u.peeked.peeked = to;
    return to;
}

static void *copy_moved(struct event *e)
{
    struct moved *moved = mem_need(sizeof *moved);
    *moved = *e->u.moved.moved;
    e->u.moved.moved = moved;
    return moved;
}

void *link_copy_event(struct event *e)
{
    struct bytes *views[VIEWS_MAX];
    struct bytes text = {NULL, 0};
    size_t n = 0;
    switch (e->type) {
    case EVENT_REPLY:
        if (e->u.reply.text) {
            text = bytes_of(e->u.reply.text, strlen(e->u.reply.text) + 1);
            views[n++] = &text;
        }
        views[n++] = &e->u.reply.name;
        if (e->got.message)
            message_ref(e->got.message);
        break;
    case EVENT_PEEKED:
        return copy_peeked(e);
    case EVENT_MOVED:
        return copy_moved(e);
    case EVENT_DELIVER:
        message_ref(e->u.deliver.message);
        break;
    case EVENT_RETURN:
        message_ref(e->u.returned.message);
        break;
    case EVENT_GATE:
        if (e->u.gate.text) {
            text = bytes_of(e->u.gate.text, strlen(e->u.gate.text) + 1);
            views[n++] = &text;
        }
        break;
    default:
        break;
    }
    void *block = gather_views(views, n);
    if (e->type == EVENT_REPLY && e->u.reply.text)
        e->u.reply.text = (const char *)text.at;
    if (e->type == EVENT_GATE && e->u.gate.text)
        e->u.gate.text = (const char *)text.at;
    return block;
}

void link_copy_drop_event(struct event *e, void *block)
{
    if (e->type == EVENT_REPLY)
        message_unref(&e->got.message);
    else if (e->type == EVENT_DELIVER)
        message_unref(&e->u.deliver.message);
    else if (e->type == EVENT_PEEKED && block)
        message_unref(&((struct peeked *)block)->message);
    else if (e->type == EVENT_RETURN)
        message_unref(&e->u.returned.message);
    free(block);
}
