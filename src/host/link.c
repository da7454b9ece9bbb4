/* Links: they carry a user's commands to a vhost and the vhost's events back. See
 * leveret/host/node.h; link.h has what the rest of host/ needs.
 *
 * Normal course: link_open attaches a peer. link_send applies a command at once when the vhost's
 * owner is this loop; otherwise it posts a letter to the owner. The core's events come back through
 * link_event in the same two ways. link_close detaches the peer. EVENT_DETACHED is the last event;
 * after it a last letter to the owner frees the link, behind all commands that were still under
 * way.
 *
 * An event may make its receiver send a command while the core is still at work. Such a command
 * becomes a letter to the same loop, and so do the commands that follow it, to keep their order.
 *
 * A user whose commands cost much waits for its turn (share.h): the owner puts its commands aside,
 * does them in turns, and tells the user to send nothing meanwhile.
 *
 * What can go wrong:
 *  - The vhost is deleted: the owner detaches its links and ignores the commands that still come.
 *  - The loops stop while letters are under way: the letters' handlers are called without a
 *    receiver, and give back what the letters hold. */
#include "link.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/container.h"
#include "leveret/base/mem.h"
#include "link_copy.h"
#include "node_internal.h"

struct link {
    struct home *home;
    struct loop *loop;
    void (*event)(void *context, const struct event *event);
    void *context;
    char *name, *user;
    struct peer *peer;  /* the owner's; NULL: not attached */
    bool notify_cancel; /* as peer_options */
    bool local;         /* the user and the owner are the same loop */
    bool publishes;     /* the user wants EVENT_GATE; the owner's */
    unsigned letters;   /* of a local link: commands that are under way as letters */
    void (*hold)(void *context, bool held);
    /* The owner's: */
    struct sharer sharer;
    STAILQ_HEAD(, put_aside) put_aside; /* commands that wait for the sharer's turn */
    TAILQ_ENTRY(link) entry;            /* in home->links while attached */
};

/* A command that waits for its turn, or the wish to detach. */
struct put_aside {
    STAILQ_ENTRY(put_aside) next;
    struct command command;
    void *block;   /* as in a letter */
    bool begun;    /* a portion of it has been done */
    bool detaches; /* it is no command: the link is to be detached */
};

struct link_letter {
    struct link *link;
};

struct hold_letter {
    struct link *link;
    bool held;
};

struct command_letter {
    struct link *link;
    void *block; /* the command's views point into it; NULL: the command has no views */
    struct command command;
};

struct event_letter {
    struct link *link;
    void *block; /* as in a command's letter */
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
        .notify_cancel = link->notify_cancel,
    };
    home_enter(home);
    link->peer = vhost_attach(home->vhost, &options, home_moment(home));
    home_leave(home);
    TAILQ_INSERT_TAIL(&home->links, link, entry);
    home_touched(home);
}

/* Detaches the peer, or does a portion of that. Returns whether the peer is gone. */
static bool detach_some(struct link *link)
{
    struct home *home = link->home;
    if (!link->peer)
        return true; /* the vhost was deleted; EVENT_DETACHED is under way */
    home_enter(home);
    struct applied applied = vhost_detach(home->vhost, link->peer, home_moment(home));
    home_leave(home);
    home_touched(home);
    if (applied.unfinished) /* otherwise link_event has taken the sharer out of the line */
        (void)share_spend(&link->sharer, applied.units, loop_now_ms(home->owner));
    return !applied.unfinished;
}

/* ---- Taking turns: see share.h. */

static void hold_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    const struct hold_letter *l = letter;
    if (receiver)
        l->link->hold(l->link->context, l->held);
}

/* Tells the user to send nothing (held), or to go on. */
static void tell_hold(struct link *link, bool held)
{
    if (!link->hold || !link->peer)
        return;
    if (link->local) {
        link->hold(link->context, held);
        return;
    }
    struct hold_letter letter = {link, held};
    loop_post(link->loop, hold_letter, &letter, sizeof letter);
}

/* Keeps a command until it is the link's turn; the link begins to wait for that. */
static void put_aside(struct link *link, const struct put_aside *what)
{
    struct put_aside *kept = mem_need(sizeof *kept);
    *kept = *what;
    STAILQ_INSERT_TAIL(&link->put_aside, kept, next);
    if (!link->sharer.waits) {
        share_wait(&link->sharer);
        tell_hold(link, true);
    }
}

static void drop_put_aside(struct link *link)
{
    struct put_aside *what;
    while ((what = STAILQ_FIRST(&link->put_aside))) {
        STAILQ_REMOVE_HEAD(&link->put_aside, next);
        link_copy_drop_command(&what->command);
        free(what->block);
        free(what);
    }
    share_leave(&link->sharer);
}

/* Counts what a call for a command has cost. Returns whether the command is finished. */
static __attribute__((noinline)) bool charge(struct link *link, struct command *command,
                                             struct applied applied)
{
    bool waited = link->sharer.waits;
    if (share_spend(&link->sharer, applied.units, loop_now_ms(link->home->owner)) && !waited)
        tell_hold(link, true);
    if (applied.unfinished && command->type == COMMAND_PUBLISH)
        command->u.publish.message = NULL; /* the core has taken it */
    return !applied.unfinished;
}

/* Applies a command. Returns whether it is finished. */
static inline bool apply(struct link *link, struct command *command)
{
    struct home *home = link->home;
    if (!link->peer) {
        link_copy_drop_command(command);
        return true;
    }
    home_enter(home);
    struct applied applied = vhost_apply(home->vhost, link->peer, command, home_moment(home));
    home_leave(home);
    home_touched(home);
    return __builtin_expect(!applied.units && !applied.unfinished, 1) ||
           charge(link, command, applied);
}

/* Does another portion of a command. Returns whether it is finished now. */
static bool go_on(struct link *link, struct command *command)
{
    struct home *home = link->home;
    if (!link->peer) {
        link_copy_drop_command(command);
        return true;
    }
    home_enter(home);
    struct applied applied = vhost_go_on(home->vhost, link->peer, command, home_moment(home));
    home_leave(home);
    home_touched(home);
    return charge(link, command, applied);
}

/* Does something that was put aside, or a portion of it. Returns whether it is finished. */
static bool take_up(struct link *link, struct put_aside *what)
{
    if (what->detaches)
        return detach_some(link);
    return what->begun ? go_on(link, &what->command) : apply(link, &what->command);
}

static bool sharer_go_on(struct sharer *sharer)
{
    struct link *link = container_of(sharer, struct link, sharer);
    struct put_aside *what = STAILQ_FIRST(&link->put_aside);
    if (!what)
        return false;
    if (!take_up(link, what)) {
        what->begun = true;
        return true;
    }
    if (what->detaches) { /* it is the last in the list, and the sharer has nothing left to do */
        STAILQ_INIT(&link->put_aside);
        share_leave(sharer);
    } else {
        STAILQ_REMOVE_HEAD(&link->put_aside, next);
    }
    free(what->block);
    free(what);
    return true;
}

static void sharer_over(struct sharer *sharer)
{
    tell_hold(container_of(sharer, struct link, sharer), false);
}

/* Detaches the link, after all that was put aside. */
static void detach(struct link *link)
{
    if (link->sharer.waits || !detach_some(link))
        put_aside(link, &(struct put_aside){.detaches = true, .begun = true});
}

void links_detach(struct home *home)
{
    struct link *link;
    while ((link = TAILQ_FIRST(&home->links))) {
        drop_put_aside(link);
        while (!detach_some(link))
            ;
        share_leave(&link->sharer);
    }
}

/* ---- The gate. */

static void tell_gate(struct link *link)
{
    struct home *home = link->home;
    struct event event = {.type = EVENT_GATE};
    event.u.gate.gate = (enum publish_gate)atomic_load_explicit(&home->gate, memory_order_relaxed);
    event.u.gate.text = home->gate_text;
    home_enter(home);
    link_event(home, link, &event);
    home_leave(home);
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

static void apply_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct command_letter *l = letter;
    struct link *link = l->link;
    if (link->local)
        link->letters--;
    if (!receiver) {
        link_copy_drop_command(&l->command);
        free(l->block);
    } else if (link->sharer.waits) {
        put_aside(link, &(struct put_aside){.command = l->command, .block = l->block});
    } else if (!apply(link, &l->command)) {
        put_aside(link,
                  &(struct put_aside){.command = l->command, .block = l->block, .begun = true});
    } else {
        free(l->block);
    }
}

/* ---- Events, from the owner to the user. */

static void hand_event(struct link *link, const struct event *event)
{
    link->event(link->context, event);
    /* The user has done with the link. This letter is behind all those that the user has posted. */
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
    link_copy_drop_event(&l->event, l->block);
}

void link_event(void *context, void *owner, const struct event *event)
{
    (void)context;
    struct link *link = owner;
    if (event->type == EVENT_DETACHED && link->peer) {
        link->peer = NULL; /* the core has freed it */
        TAILQ_REMOVE(&link->home->links, link, entry);
        share_leave(&link->sharer);
    }
    if (link->local) {
        hand_event(link, event);
        return;
    }
    struct event_letter letter = {.link = link, .event = *event};
    letter.block = link_copy_event(&letter.event);
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
    link->hold = options->hold;
    link->sharer.share = home->share;
    link->sharer.go_on = sharer_go_on;
    link->sharer.over = sharer_over;
    STAILQ_INIT(&link->put_aside);
    link->name = mem_need_text(options->name.at, options->name.len);
    link->user = mem_need_text(options->user.at, options->user.len);
    link->notify_cancel = options->notify_cancel;
    link->local = options->loop == home->owner;
    *out = link;
    if (link->local)
        attach(link);
    else
        post_link(home->owner, attach_letter, link);
    return STATUS_OK;
}

/* Whether the core can be called at once: no earlier command of the link waits, and no call into
 * the core is under way. */
static bool direct(const struct link *link)
{
    return link->local && link->letters == 0 && link->home->in_core == 0 && !link->sharer.waits;
}

void link_send(struct link *link, const struct command *command)
{
    if (direct(link)) {
        struct command copy = *command;
        if (__builtin_expect(apply(link, &copy), 1))
            return;
        void *block = link_copy_command(&copy);
        put_aside(link, &(struct put_aside){.command = copy, .block = block, .begun = true});
        return;
    }
    struct command_letter letter = {.link = link, .command = *command};
    letter.block = link_copy_command(&letter.command);
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
