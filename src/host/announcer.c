/* Part of the node: events and log lines on their way to the vhost that has the exchanges for them.
 * See announcer.h and leveret/host/node.h.
 *
 * Normal course: somebody binds a queue to one of the exchanges. The vhost's owner calls
 * node_listened, and every vhost begins to tell its events. An announcement goes to that owner by
 * letter and is published there.
 *
 * What can go wrong: the vhost is deleted; then nobody listens any more. Publishing an announcement
 * writes no log line, so an announced log line cannot cause another. */
#include "announcer.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "leveret/wire/table.h"
#include "node_internal.h"

struct announcer {
    struct node *node;
    struct log *log;
    atomic_bool events, lines; /* somebody listens to events; to log lines */
};

/* An announcement on its way to the owner. */
struct announcement_copy {
    struct home *home;
    enum announcement announcement;
    size_t key_len, headers_len, body_len;
    uint8_t data[]; /* key, headers, body */
};

static void announcement_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct announcement_copy *copy;
    (void)bytes;
    memcpy(&copy, letter, sizeof copy);
    struct home *home = copy->home;
    if (receiver && home->vhost) {
        const uint8_t *at = copy->data;
        struct bytes key = bytes_of(at, copy->key_len);
        struct bytes headers = bytes_of(at + copy->key_len, copy->headers_len);
        struct bytes body = bytes_of(headers.at + headers.len, copy->body_len);
        home_enter(home);
        vhost_announce(home->vhost, copy->announcement, key, headers, body, home_moment(home));
        home_leave(home);
        home_touched(home);
    }
    free(copy);
}

static void copy_to(uint8_t **at, struct bytes bytes)
{
    if (bytes.len)
        memcpy(*at, bytes.at, bytes.len);
    *at += bytes.len;
}

void node_announce(struct node *node, enum announcement announcement, struct bytes key,
                   struct bytes headers, struct bytes body)
{
    const struct announcer *announcer = node_announcer(node);
    const char *vhost = node_announce_vhost(node);
    if (!vhost ||
        !atomic_load(announcement == ANNOUNCE_EVENT ? &announcer->events : &announcer->lines))
        return;
    struct home *home = node_find_home(node, bytes_of_text(vhost));
    if (!home)
        return;
    struct announcement_copy *copy = mem_need(sizeof *copy + key.len + headers.len + body.len);
    uint8_t *at = copy->data;
    copy->home = home;
    copy->announcement = announcement;
    copy->key_len = key.len;
    copy->headers_len = headers.len;
    copy->body_len = body.len;
    copy_to(&at, key);
    copy_to(&at, headers);
    copy_to(&at, body);
    loop_post(home->owner, announcement_letter, &copy, sizeof copy);
}

bool node_watched(const struct node *node)
{
    return atomic_load_explicit(&node_announcer(node)->events, memory_order_relaxed);
}

/* ---- Changes of the directory. */

static void changed(void *context, const struct auth_change *change)
{
    struct node *node = context;
    struct text headers = {0};
    if (!node_watched(node))
        return;
    for (size_t i = 0; change->fields[i].key; i++)
        table_put_string(&headers, change->fields[i].key, bytes_of_text(change->fields[i].value));
    node_announce(node, ANNOUNCE_EVENT, bytes_of_text(change->event), text_bytes(&headers),
                  bytes_of("", 0));
    text_free(&headers);
}

void node_announce_changes(struct node *node, struct auth *auth)
{
    auth_set_watcher(auth, changed, node);
}

/* ---- Who listens. */

static void watch_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct home *home;
    (void)bytes;
    memcpy(&home, letter, sizeof home);
    if (receiver && home->vhost)
        vhost_watch(home->vhost, node_watched(home->node));
}

static void post_watch(struct home *home)
{
    loop_post(home->owner, watch_letter, &home, sizeof home);
}

void node_listened(struct node *node, bool events, bool log)
{
    struct announcer *announcer = node_announcer(node);
    atomic_store(&announcer->lines, log);
    if (atomic_exchange(&announcer->events, events) != events)
        node_each_home(node, post_watch);
}

static void line_logged(void *context, enum log_level level, struct bytes line)
{
    static const char *const keys[] = {"debug", "info", "warning", "error", "error"};
    struct announcer *announcer = context;
    if (atomic_load_explicit(&announcer->lines, memory_order_relaxed))
        node_announce(announcer->node, ANNOUNCE_LOG, bytes_of_text(keys[level]), bytes_of("", 0),
                      line);
}

struct announcer *announcer_new(struct node *node, struct log *log)
{
    struct announcer *announcer = mem_need(sizeof *announcer);
    announcer->node = node;
    announcer->log = log;
    log_set_tap(log, line_logged, announcer);
    return announcer;
}

void announcer_free(struct announcer **announcer)
{
    if (*announcer)
        log_set_tap((*announcer)->log, NULL, NULL);
    free(*announcer);
    *announcer = NULL;
}
