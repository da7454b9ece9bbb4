/* Links: commands there, events back.
 *
 * Normal course: link_open attaches a peer; link_send applies the command at once when the vhost's
 * owner is this loop, and posts it as a letter when not; the core's events come through link_event
 * the same two ways. link_close detaches; EVENT_DETACHED is the last event; then a last letter to
 * the owner frees the link, behind every command that was still under way. An event may make its
 * receiver send a command while the core is still at work; such a command goes as a letter to the
 * own loop, and so does what follows it, so that the order is kept.
 * A user whose commands cost much waits for its turn (share.h): its commands are put aside on the
 * owner and done in turns, and it is told to send nothing meanwhile.
 * What can go wrong: the vhost is deleted: the owner detaches by itself and ignores what still
 * comes; the loops stop with letters under way: their handlers are called without a receiver and
 * give back what they hold. */
#include <stdlib.h>
#include <string.h>

#include "home.h"
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
    struct peer *peer;  /* the owner's */
    bool notify_cancel; /* as peer_options */
    bool local;         /* user and owner share a loop */
    bool publishes;     /* the owner's: EVENT_GATE is sent */
    unsigned letters;   /* local links only: commands under way as letters all the same */
    void (*hold)(void *context, bool held);
    struct sharer sharer;               /* the owner's, like what follows */
    STAILQ_HEAD(, put_aside) put_aside; /* what waits for the sharer's turn */
    TAILQ_ENTRY(link) entry;            /* the owner's: in home->links while attached */
};

/* A command, or the end of the link, that waits for its turn. */
struct put_aside {
    STAILQ_ENTRY(put_aside) next;
    struct command command;
    void *blob; /* as in a letter */
    bool begun; /* a portion of it has been done */
    bool detaches;
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
        .notify_cancel = link->notify_cancel,
    };
    home->in_core++;
    link->peer = vhost_attach(home->vhost, &options, home_moment(home));
    home->in_core--;
    TAILQ_INSERT_TAIL(&home->links, link, entry);
    home_touched(home);
}

/* Whether the peer is gone; false: some of its detaching is left for another call. */
static bool detach_some(struct link *link)
{
    struct home *home = link->home;
    if (!link->peer)
        return true; /* the vhost was deleted; EVENT_DETACHED is under way */
    home->in_core++;
    struct applied applied = vhost_detach(home->vhost, link->peer, home_moment(home));
    home->in_core--;
    home_touched(home);
    if (applied.unfinished) /* else the sharer is gone */
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

/* Tells the user to send little until it is told to go on. */
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
        command_drop(&what->command);
        free(what->blob);
        free(what);
    }
    share_leave(&link->sharer);
}

/* A command has cost something; returns whether it is through. */
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

/* Applies a command; returns whether it is through. */
static inline bool apply(struct link *link, struct command *command)
{
    struct home *home = link->home;
    if (!link->peer) {
        command_drop(command);
        return true;
    }
    home->in_core++;
    struct applied applied = vhost_apply(home->vhost, link->peer, command, home_moment(home));
    home->in_core--;
    home_touched(home);
    return __builtin_expect(!applied.units && !applied.unfinished, 1) ||
           charge(link, command, applied);
}

/* Goes on with one that was not; returns whether it is now. */
static bool go_on(struct link *link, struct command *command)
{
    struct home *home = link->home;
    if (!link->peer) {
        command_drop(command);
        return true;
    }
    home->in_core++;
    struct applied applied = vhost_go_on(home->vhost, link->peer, command, home_moment(home));
    home->in_core--;
    home_touched(home);
    return charge(link, command, applied);
}

/* Does what was put aside, or a portion of it; returns whether it is through. */
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
    if (what->detaches) { /* and the link with it */
        STAILQ_INIT(&link->put_aside);
        share_leave(sharer);
    } else {
        STAILQ_REMOVE_HEAD(&link->put_aside, next);
    }
    free(what->blob);
    free(what);
    return true;
}

static void sharer_over(struct sharer *sharer)
{
    tell_hold(container_of(sharer, struct link, sharer), false);
}

/* The link's end, behind all that was put aside. */
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

static void apply_letter(struct loop *receiver, void *letter, size_t bytes)
{
    (void)bytes;
    struct command_letter *l = letter;
    struct link *link = l->link;
    if (link->local)
        link->letters--;
    if (!receiver) {
        command_drop(&l->command);
        free(l->blob);
    } else if (link->sharer.waits) {
        put_aside(link, &(struct put_aside){.command = l->command, .blob = l->blob});
    } else if (!apply(link, &l->command)) {
        put_aside(link, &(struct put_aside){.command = l->command, .blob = l->blob, .begun = true});
    } else {
        free(l->blob);
    }
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
        link->peer = NULL; /* the core has let it go */
        TAILQ_REMOVE(&link->home->links, link, entry);
        share_leave(&link->sharer);
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

/* Whether the core can be called now, without overtaking anything. */
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
        void *blob = command_keep(&copy);
        put_aside(link, &(struct put_aside){.command = copy, .blob = blob, .begun = true});
        return;
    }
    struct command_letter letter = {.link = link, .command = *command};
    letter.blob = command_keep(&letter.command);
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
