/* Gathering: copies what a listing needs from the owners of vhosts and sessions, a slice at each
 * visit, so that no visit holds up messages for long. Thread: the main thread; the copying itself
 * runs on the owners. */
#ifndef LEVERET_ADMIN_GATHER_H
#define LEVERET_ADMIN_GATHER_H

#include "admin/http/request.h"
#include "admin/listing/arena.h"

/* Objects that one visit to a vhost looks at; the next visit goes on behind them. */
#define GATHER_SLICE 500u

/* A kind of object that can be gathered. Its infos are of one type: struct queue_info and so on. */
struct gather_kind {
    size_t info_bytes;
    /* One of vhost_list_…: fills in up to max infos of the objects behind *after. NULL: the objects
     * are sessions (struct session_info), which workers have, not vhosts. */
    size_t (*list)(struct vhost *vhost, uint64_t *after, void *infos, size_t max);
    /* Copies what the info's views show into the arena. */
    void (*keep)(void *info, struct arena *arena);
    /* true: a user who monitors is told of the objects of all vhosts, not only of those that he may
     * see into. */
    bool monitored;
};

/* One object. */
struct row {
    struct bytes vhost; /* its name; empty for sessions, whose info has it */
    const void *info;
};

struct gather {
    /* What to gather: set by the caller. */
    const struct gather_kind *kind;
    /* Returns true when the info is to be copied; called on the owner. NULL: all are. It may read
     * wanted. */
    bool (*pick)(const struct gather *gather, const void *info);
    struct bytes wanted[3]; /* for pick; must live as long as the request */
    /* NULL: all rows are gathered before done is called. Otherwise this is called with the rows of
     * each visit; they are gone once gather_go_on is called, which goes on. */
    void (*slice)(struct request *request, struct gather *gather);

    /* What was gathered. */
    struct row *rows;
    size_t row_count, row_room;

    /* For gather.c alone. */
    struct account *account;
    struct gather_block *blocks;
    char **vhosts; /* the names of those to be visited */
    size_t vhost_count, vhost_at;
    unsigned worker_at;
    uint64_t after; /* how far the vhost has been listed */
    void (*done)(struct request *request, struct gather *gather);
    size_t held_bytes; /* what the account was told, as answers */
};

/* Gathers from one vhost or, when vhost is NULL, from all that the user may see, then calls done.
 * gather must live as long as request->work. A vhost that is not there gives no rows. */
void gather_run(struct request *request, struct gather *gather, const struct bytes *vhost,
                void (*done)(struct request *request, struct gather *gather));
/* To be called after slice: frees its rows and goes on with the next ones, or with done. */
void gather_go_on(struct request *request, struct gather *gather);
/* Frees the rows and all that they point to. gather_run may be called again. */
void gather_free(struct gather *gather);

extern const struct gather_kind gather_queues, gather_exchanges, gather_bindings, gather_consumers,
    gather_channels, gather_sessions, gather_policies, gather_operator_policies;

/* The names of all vhosts, sorted: an array of texts. Free both with gather_names_free. */
char **gather_vhost_names(const struct admin *admin, size_t *count);
void gather_names_free(char **names, size_t count);

#endif
