/* Copies what a listing needs from the owners of vhosts and sessions, a slice at each visit, so
 * that no visit holds up messages. Thread: main; the copying itself runs on the owners. */
#ifndef LEVERET_ADMIN_GATHER_H
#define LEVERET_ADMIN_GATHER_H

#include "admin/http/request.h"

#define GATHER_SLICE 500u

/* Memory for copied names; freed all at once. */
struct arena {
    struct arena_chunk *chunks;
    size_t bytes; /* of all chunks */
};
struct bytes arena_keep(struct arena *arena, struct bytes bytes);
/* The same for a struct, zeroed. */
void *arena_object(struct arena *arena, size_t bytes);
void arena_free(struct arena *arena);

/* What can be gathered. */
struct gather_kind {
    size_t info_bytes;
    /* One of vhost_list_…: up to max infos after *after. NULL: sessions (struct session_info). */
    size_t (*list)(struct vhost *vhost, uint64_t *after, void *infos, size_t max);
    /* Moves the info's views into the arena. */
    void (*keep)(void *info, struct arena *arena);
    bool monitored; /* true: who monitors is told of all vhosts' rows, not of those he may enter */
};

struct row {
    struct bytes vhost; /* empty for sessions: the info says */
    const void *info;
};

struct gather {
    const struct gather_kind *kind;
    /* Whether to take an info at all, asked on the owner; NULL: all. wanted may be read by it. */
    bool (*pick)(const struct gather *gather, const void *info);
    struct bytes wanted[3]; /* must live as long as the request */
    /* NULL: all rows are gathered before done(). Otherwise rows are handed out after each visit,
     * and are gone when gather_go_on asks for the next ones. */
    void (*slice)(struct request *request, struct gather *gather);
    /* What came. */
    struct row *rows;
    size_t row_count, row_room;
    /* Inside. */
    struct account *account;
    struct gather_block *blocks;
    char **vhosts;
    size_t vhost_count, vhost_at;
    unsigned worker_at;
    uint64_t after;
    void (*done)(struct request *request, struct gather *gather);
    size_t held_bytes; /* told to the account, of answers */
};

/* Fills gather->rows from one vhost, or (vhost NULL) all that the user sees, then calls done().
 * kind, pick and wanted are set. gather must live as long as request->work. A vhost that is not
 * there gives no rows. */
void gather_run(struct request *request, struct gather *gather, const struct bytes *vhost,
                void (*done)(struct request *request, struct gather *gather));
/* After slice(): frees its rows and goes on with the next ones, or with done(). */
void gather_go_on(struct request *request, struct gather *gather);
/* Frees rows and all that they point to, so that gather_run can be called again. */
void gather_free(struct gather *gather);

extern const struct gather_kind gather_queues, gather_exchanges, gather_bindings, gather_consumers,
    gather_channels, gather_sessions, gather_policies, gather_operator_policies;

/* The names of all vhosts: an array of texts, both to be freed by gather_names_free. */
char **gather_vhost_names(const struct admin *admin, size_t *count);
void gather_names_free(char **names, size_t count);

#endif
