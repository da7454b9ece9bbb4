/* Part of import: sending entries as commands to their vhosts, one vhost after the other, after
 * they have been checked.
 *
 * Normal course: a link to the vhost is opened, with IMPORT_CHANNELS channels. Each has one command
 * under way, so that many commands share a commit; one that is refused fails only its own channel,
 * which is opened again. What can go wrong: a command is refused (what exists already is different,
 * or the vhost is at a limit), or a vhost cannot be opened: the answer tells it, and the rest goes
 * on. The vhost is deleted while commands are under way: the answer is 404. */
#include "admin/definitions/import.h"

#include "admin/resource/client.h"

static void advance(struct request *r);

static void send_on(struct request *r, uint16_t channel, struct command command)
{
    struct import_link *link = &((struct import *)r->work)->link;
    command.channel = channel;
    client_send(r, command);
    link->busy[channel] = true;
    link->waited++;
}

static void open_channel(struct request *r, uint16_t channel)
{
    struct import_link *link = &((struct import *)r->work)->link;
    if (!link->opened[channel] && channel != CLIENT_CHANNEL)
        client_send(r, (struct command){.type = COMMAND_CHANNEL_OPEN, .channel = channel});
    link->opened[channel] = true;
}

static void refused(struct request *r, uint32_t index, enum status status, const char *why)
{
    struct import *i = r->work;
    const struct value *entry = value_at(i->lists[i->link.step].list, index);
    const char *key = i->link.step == STEP_BINDINGS ? "destination" : "name";
    import_failed(r, import_step_key(i->link.step), index, value_bytes(value_get(entry, key)),
                  i->places[i->link.place]->name, why && *why ? why : status_text(status));
}

static void send_entry(struct request *r, uint32_t index, uint16_t channel)
{
    struct import *i = r->work;
    struct command command;
    struct text table;
    char why[FORM_WRONG_BYTES_MAX];
    if (import_command(i->link.step, value_at(i->lists[i->link.step].list, index), &command, &table,
                       why)) {
        open_channel(r, channel);
        i->link.entry[channel] = index;
        send_on(r, channel, command);
    } else {
        refused(r, index, STATUS_MALFORMED, why);
    }
    text_free(&table);
}

/* Sends the next entries on the channels that are free. */
static void fill_channels(struct request *r)
{
    struct import *i = r->work;
    const struct import_list *list = &i->lists[i->link.step];
    uint32_t end = list->starts[i->link.place + 1];
    for (uint16_t channel = 1; channel <= IMPORT_CHANNELS && i->link.at < end; channel++)
        if (!i->link.busy[channel])
            send_entry(r, list->order[i->link.at++], channel);
}

/* Goes on after a reply. When a command was refused its channel is closed and opened again. */
static void on_reply(struct request *r, const struct event *event)
{
    struct import *i = r->work;
    struct import_link *link = &i->link;
    uint16_t channel = event->channel;
    enum status status = event->u.reply.status;
    if (event->type != EVENT_REPLY || event->u.reply.command == COMMAND_CHANNEL_OPEN)
        return;
    link->busy[channel] = false;
    link->waited--;
    if (event->u.reply.command == COMMAND_CHANNEL_CLOSE) {
        client_send(r, (struct command){.type = COMMAND_CHANNEL_OPEN, .channel = channel});
    } else if (status == STATUS_OK) {
        i->done[import_step_kinds[link->step]]++;
    } else {
        refused(r, link->entry[channel], status, event->u.reply.text);
        send_on(r, channel, (struct command){.type = COMMAND_CHANNEL_CLOSE});
    }
    advance(r);
}

/* ---- From vhost to vhost. */

/* The first step that has entries of the vhost; STEP_COUNT: there are none. */
static enum import_step first_step(const struct import *i, uint32_t place)
{
    enum import_step step = 0;
    while (step < STEP_COUNT && i->lists[step].starts[place] == i->lists[step].starts[place + 1])
        step++;
    return step;
}

static void begin_step(struct import *i, enum import_step step)
{
    i->link.step = step;
    if (step < STEP_COUNT)
        i->link.at = i->lists[step].starts[i->link.place];
}

/* Opens a link to the first vhost, from place on, that has entries and is open. Returns false when
 * there is none: the import has ended, and has been answered. */
static bool enter_vhost(struct request *r, uint32_t place)
{
    struct import *i = r->work;
    if (r->client)
        client_close(r);
    for (; place < i->place_count; place++) {
        enum import_step step = first_step(i, place);
        if (step == STEP_COUNT)
            continue;
        i->link = (struct import_link){.place = place};
        begin_step(i, step);
        if (client_try(r, i->places[place]->name, on_reply) == STATUS_OK)
            return true;
        refused(r, i->lists[step].order[i->link.at], STATUS_NOT_FOUND,
                "the vhost is not open; neither this nor its other entries were carried out");
    }
    import_end(r);
    return false;
}

static void advance(struct request *r)
{
    struct import *i = r->work;
    for (;;) {
        fill_channels(r);
        if (i->link.waited)
            return;
        begin_step(i, i->link.step + 1);
        if (i->link.step == STEP_COUNT && !enter_vhost(r, i->link.place + 1))
            return;
    }
}

void import_vhosts(struct request *r)
{
    if (enter_vhost(r, 0))
        advance(r);
}
