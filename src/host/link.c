/* Links: commands there, events back.
 *
 * Normal course: link_open attaches a peer; link_send applies the command at once when the vhost's
 * owner is this loop, and posts it as a letter when not; the core's events come through link_event
 * the same two ways. link_close detaches; EVENT_DETACHED is the last event; then a last letter to
 * the owner frees the link, behind every command that was still under way. An event may make its
 * receiver send a command while the core is still at work; such a command goes as a letter to the
 * own loop, and so does what follows it, so that the order is kept.
 * What can go wrong: the vhost is deleted: the owner detaches by itself and ignores what still
 * comes; the loops stop with letters under way: their handlers are called without a receiver and
 * give back what they hold. */
#include <stdlib.h>
#include <string.h>

#include "home.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "node_internal.h"

struct link {
    struct home *home;
    struct loop *loop;
    void (*event)(void *context, const struct event *event);
    void *context;
    char *name, *user;
    struct peer *peer;       /* the owner's */
    bool local;              /* user and owner share a loop */
    bool publishes;          /* the owner's: EVENT_GATE is sent */
    unsigned letters;        /* local links only: commands under way as letters all the same */
    TAILQ_ENTRY(link) entry; /* the owner's: in home->links while attached */
};

struct link_letter {
    struct link *link;
};

struct command_letter {
    struct link *link;
    void *blob; /* the command's views point in here; NULL: none */
    struct command command;
};

struct event_letter {
    struct link *link;
    void *blob;
    struct event event;
};
_Static_assert(sizeof(struct command_letter) <= LETTER_BYTES_MAX, "a command fits a letter");
_Static_assert(sizeof(struct event_letter) <= LETTER_BYTES_MAX, "an event fits a letter");

/* ---- On the owner. */

static void free_link(struct link *link)
{
    free(link->name);
    free(link->user);
    free(link);
}

static void gone_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)receiver;
    (void)bytes;
    free_link(((struct link_letter *)letter)->link);
}

static void post_link(struct loop *receiver, letter_handler *handle, struct link *link)
{
    struct link_letter letter = {link};
    loop_post(receiver, handle, &letter, sizeof letter);
}

static void attach(struct link *link)
{
    struct home *home = link->home;
    if (!home->vhost) {
        const struct event detached = {.type = EVENT_DETACHED};
        link_event(home, link, &detached);
        return;
    }
    const struct peer_options options = {
        .owner = link,
        .name = bytes_of_text(link->name),
        .user = bytes_of_text(link->user),
    };
    home->in_core++;
    link->peer = vhost_attach(home->vhost, &options, home_moment(home));
    home->in_core--;
    TAILQ_INSERT_TAIL(&home->links, link, entry);
    home_touched(home);
}

static void detach(struct link *link)
{
    struct home *home = link->home;
    if (!link->peer)
        return; /* the vhost was deleted; EVENT_DETACHED is under way */
    struct peer *peer = link->peer;
    link->peer = NULL;
    TAILQ_REMOVE(&home->links, link, entry);
    home->in_core++;
    vhost_detach(home->vhost, peer, home_moment(home));
    home->in_core--;
    home_touched(home);
}

void links_detach(struct home *home)
{
    struct link *link;
    while ((link = TAILQ_FIRST(&home->links)))
        detach(link);
}

/* ---- The gate. */

static void tell_gate(struct link *link)
{
    struct home *home = link->home;
    struct event event = {.type = EVENT_GATE};
    event.u.gate.gate = (enum publish_gate)atomic_load_explicit(&home->gate, memory_order_relaxed);
    event.u.gate.text = home->gate_text;
    home->in_core++;
    link_event(home, link, &event);
    home->in_core--;
}

void links_tell_gate(struct home *home)
{
    struct link *link;
    TAILQ_FOREACH(link, &home->links, entry)
    if (link->publishes)
        tell_gate(link);
}

static void publishes_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct link *link = ((struct link_letter *)letter)->link;
    if (!receiver || !link->peer)
        return;
    link->publishes = true;
    tell_gate(link);
}

static void attach_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    if (receiver)
        attach(((struct link_letter *)letter)->link);
}

static void detach_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct link *link = ((struct link_letter *)letter)->link;
    if (link->local)
        link->letters--;
    if (receiver)
        detach(link);
}

static void drop_command(struct command *command)
{
    if (command->type == COMMAND_PUBLISH)
        message_unref(&command->u.publish.message);
}

static void apply(struct link *link, struct command *command)
{
    struct home *home = link->home;
    if (!link->peer) {
        drop_command(command);
        return;
    }
    home->in_core++;
    vhost_apply(home->vhost, link->peer, command, home_moment(home));
    home->in_core--;
    home_touched(home);
}

static void apply_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct command_letter *l = letter;
    if (l->link->local)
        l->link->letters--;
    if (receiver)
        apply(l->link, &l->command);
    else
        drop_command(&l->command);
    free(l->blob);
}

/* ---- Copies for letters: the views of a command or an event, moved into one block. */

#define VIEWS_MAX 4

/* Moves the count views into one block, which the receiver frees. */
static void *gather_views(struct bytes *const views[], size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += views[i]->len;
    if (total == 0)
        return NULL;
    uint8_t *blob = mem_need(total), *at = blob;
    for (size_t i = 0; i < count; i++) {
        if (views[i]->len)
            memcpy(at, views[i]->at, views[i]->len);
        views[i]->at = at;
        at += views[i]->len;
    }
    return blob;
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
    case COMMAND_QUEUE_DECLARE:
        views[n++] = &c->u.queue_declare.name;
        views[n++] = &c->u.queue_declare.arguments;
        break;
    case COMMAND_QUEUE_DELETE:
        views[n++] = &c->u.queue_delete.name;
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

/* Makes the event independent of the call: views copied, message references taken. */
static void *event_keep(struct event *e)
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
    void *blob = gather_views(views, n);
    if (e->type == EVENT_REPLY && e->u.reply.text)
        e->u.reply.text = (const char *)text.at;
    if (e->type == EVENT_GATE && e->u.gate.text)
        e->u.gate.text = (const char *)text.at;
    return blob;
}

static void event_release(struct event *e, void *blob)
{
    if (e->type == EVENT_REPLY)
        message_unref(&e->got.message);
    else if (e->type == EVENT_DELIVER)
        message_unref(&e->u.deliver.message);
    else if (e->type == EVENT_RETURN)
        message_unref(&e->u.returned.message);
    free(blob);
}

/* ---- Events, from the owner to the user. */

static void hand_event(struct link *link, const struct event *event)
{
    link->event(link->context, event);
    /* The user is through with the link; the owner may still have letters of its before this one.
     */
    if (event->type == EVENT_DETACHED)
        post_link(link->home->owner, gone_letter, link);
}

static void event_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct event_letter *l = letter;
    if (receiver)
        hand_event(l->link, &l->event);
    else if (l->event.type == EVENT_DETACHED)
        free_link(l->link);
    event_release(&l->event, l->blob);
}

void link_event(void *context, void *owner, const struct event *event)
{
    (void)context;
    struct link *link = owner;
    if (event->type == EVENT_DETACHED && link->peer) {
        /* The core let the peer go by itself. */
        link->peer = NULL;
        TAILQ_REMOVE(&link->home->links, link, entry);
    }
    if (link->local) {
        hand_event(link, event);
        return;
    }
    struct event_letter letter = {.link = link, .event = *event};
    letter.blob = event_keep(&letter.event);
    loop_post(link->loop, event_letter, &letter, sizeof letter);
}

/* ---- For the user. */

enum status link_open(struct node *node, struct bytes vhost, const struct link_options *options,
                      struct link **out)
{
    struct home *home = node_find_home(node, vhost);
    if (!home)
        return STATUS_NOT_FOUND;
    if (home->down_reason)
        return STATUS_INTERNAL_ERROR;
    struct link *link = mem_need(sizeof *link);
    link->home = home;
    link->loop = options->loop;
    link->event = options->event;
    link->context = options->context;
    link->name = mem_need_text(options->name.at, options->name.len);
    link->user = mem_need_text(options->user.at, options->user.len);
    link->local = options->loop == home->owner;
    *out = link;
    if (link->local)
        attach(link);
    else
        post_link(home->owner, attach_letter, link);
    return STATUS_OK;
}

/* Whether the core can be called now, without overtaking anything. */
static bool direct(const struct link *link)
{
    return link->local && link->letters == 0 && link->home->in_core == 0;
}

void link_send(struct link *link, const struct command *command)
{
    if (direct(link)) {
        struct command copy = *command;
        apply(link, &copy);
        return;
    }
    struct command_letter letter = {.link = link, .command = *command};
    struct bytes *views[VIEWS_MAX];
    letter.blob = gather_views(views, command_views(&letter.command, views));
    if (link->local)
        link->letters++;
    loop_post(link->home->owner, apply_letter, &letter, sizeof letter);
}

const atomic_uint *link_gate(const struct link *link)
{
    return &link->home->gate;
}

void link_publishes(struct link *link)
{
    post_link(link->home->owner, publishes_letter, link);
}

bool link_backlogged(const struct link *link)
{
    return !link->local && loop_backlogged(link->home->owner);
}

size_t link_letters(const struct link *link)
{
    return link->local ? 0 : loop_mailbox_depth(link->home->owner);
}

void link_close(struct link *link)
{
    if (direct(link)) {
        detach(link);
        return;
    }
    if (link->local)
        link->letters++;
    post_link(link->home->owner, detach_letter, link);
}
