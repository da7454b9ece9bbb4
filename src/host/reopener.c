/* See reopener.h.
 *
 * Normal course: every REOPEN_INTERVAL_MS the vhosts that are down with NO_SPACE, IO or NO_MEMORY
 * are opened again.
 *
 * What can go wrong: opening fails again; that is not logged, and the vhost stays down. A vhost
 * that is down because of damage or an unknown format is not tried: an administrator has to mend
 * its files first. */
#include "reopener.h"

#include <stdlib.h>

#include "leveret/base/mem.h"
#include "node_internal.h"

/* Milliseconds between two attempts. */
#define REOPEN_INTERVAL_MS 5000u

struct reopener {
    struct node *node;
    struct auth *auth;
    struct timer *timer;
};

/* Whether the reason why the vhost is down may end by itself. */
static bool may_pass(const struct home *home)
{
    return home->down_status == STATUS_NO_SPACE || home->down_status == STATUS_IO ||
           home->down_status == STATUS_NO_MEMORY;
}

struct reopen_names {
    char **names;
    size_t count;
};

static void collect(void *context, const struct vhost_entry *entry)
{
    struct reopen_names *list = context;
    list->names = mem_need_array(list->names, list->count + 1, sizeof *list->names);
    list->names[list->count++] = mem_need_text(entry->name, strlen(entry->name));
}

static void try_again(struct reopener *reopener, struct bytes name)
{
    const struct home *home = node_find_home(reopener->node, name);
    char *error = NULL;
    if (!home || !home->down_reason || !may_pass(home))
        return;
    if (node_restart_vhost(reopener->node, name, &error) == STATUS_OK)
        node_tune_vhost(reopener->node, reopener->auth, name);
    free(error);
}

static void due(void *context)
{
    struct reopener *reopener = context;
    struct reopen_names list = {0};
    if (node_any_down(reopener->node))
        auth_each_vhost(reopener->auth, collect, &list);
    for (size_t i = 0; i < list.count; i++) {
        try_again(reopener, bytes_of_text(list.names[i]));
        free(list.names[i]);
    }
    free(list.names);
    timer_set(reopener->timer, REOPEN_INTERVAL_MS);
}

struct reopener *reopener_new(struct node *node, struct auth *auth, struct loop *main_loop)
{
    struct reopener *reopener = mem_need(sizeof *reopener);
    reopener->node = node;
    reopener->auth = auth;
    reopener->timer = timer_new(main_loop, due, reopener);
    timer_set(reopener->timer, REOPEN_INTERVAL_MS);
    return reopener;
}

void reopener_free(struct reopener **reopener)
{
    if (!*reopener)
        return;
    timer_free(&(*reopener)->timer);
    free(*reopener);
    *reopener = NULL;
}
