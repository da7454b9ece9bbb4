/* Gathering rows.
 *
 * Normal course: for each vhost, its owner is asked for GATHER_SLICE infos at a time until it has
 * no more; the owner fills a block, and copies names into the block's arena; back here the block's
 * infos become rows. Sessions are gathered from each worker in one visit. What can go wrong: a
 * vhost is deleted between two visits (the rows that came from it stay); the account has no room
 * for the rows (503). */
#include "admin/listing/gather.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/respond.h"
#include "admin/http/turns.h"
#include "leveret/base/account.h"
#include "leveret/base/mem.h"

/* ---- Blocks: the infos of one visit. */

struct gather_block {
    struct gather_block *next;
    const struct gather *gather;
    struct arena arena;
    uint64_t after;
    size_t seen, count, room;
    char *infos;
};

static struct gather_block *block_new(struct gather *gather, size_t room)
{
    struct gather_block *block = mem_need(sizeof *block);
    block->gather = gather;
    block->after = gather->after;
    block->room = room;
    block->infos = mem_need_array(NULL, room, gather->kind->info_bytes);
    block->next = gather->blocks;
    gather->blocks = block;
    return block;
}

/* Adds the block's infos to the rows. */
static void add_rows(struct gather *gather, struct gather_block *block, struct bytes vhost)
{
    size_t size = gather->kind->info_bytes;
    if (block->count == 0) {
        free(block->infos);
        block->infos = NULL;
        return;
    }
    block->infos = mem_need_array(block->infos, block->count, size);
    if (gather->row_room - gather->row_count < block->count) {
        gather->row_room = 2 * gather->row_room + block->count;
        gather->rows = mem_need_array(gather->rows, gather->row_room, sizeof *gather->rows);
    }
    for (size_t i = 0; i < block->count; i++)
        gather->rows[gather->row_count++] = (struct row){vhost, block->infos + i * size};
}

static void drop_blocks(struct gather *gather)
{
    while (gather->blocks) {
        struct gather_block *block = gather->blocks;
        gather->blocks = block->next;
        arena_free(&block->arena);
        free(block->infos);
        free(block);
    }
    account_add(gather->account, ACCOUNT_HTTP_ANSWERS, -(int64_t)gather->held_bytes);
    gather->held_bytes = 0;
    gather->row_count = 0;
}

void gather_free(struct gather *gather)
{
    drop_blocks(gather);
    gather_names_free(gather->vhosts, gather->vhost_count);
    free(gather->rows);
    gather->rows = NULL;
    gather->vhosts = NULL;
    gather->row_room = gather->vhost_count = gather->vhost_at = 0;
    gather->worker_at = 0;
    gather->after = 0;
}

/* ---- On the owners. */

static void visit_vhost(struct vhost *vhost, void *argument)
{
    struct gather_block *block = argument;
    const struct gather *gather = block->gather;
    size_t size = gather->kind->info_bytes;
    block->seen = gather->kind->list(vhost, &block->after, block->infos, block->room);
    for (size_t i = 0; i < block->seen; i++) {
        char *info = block->infos + i * size, *to = block->infos + block->count * size;
        if (gather->pick && !gather->pick(gather, info))
            continue;
        if (to != info)
            memcpy(to, info, size);
        gather->kind->keep(to, &block->arena);
        block->count++;
    }
}

/* Returns true while the connection is open. One that shakes hands, or is being closed, is not
 * listed. */
static bool established(const struct session_info *info)
{
    return strcmp(info->state, "starting") != 0 && strcmp(info->state, "closing") != 0;
}

static void visit_session(void *context, const struct session_info *info)
{
    struct gather_block *block = context;
    const struct gather *gather = block->gather;
    if (!established(info) || (gather->pick && !gather->pick(gather, info)))
        return;
    if (block->count == block->room) {
        block->room *= 2;
        block->infos = mem_need_array(block->infos, block->room, sizeof *info);
    }
    struct session_info *to = (struct session_info *)(void *)block->infos + block->count++;
    *to = *info;
    gather->kind->keep(to, &block->arena);
}

static void visit_sessions(struct sessions *sessions, void *argument)
{
    sessions_each(sessions, visit_session, argument);
}

/* ---- From visit to visit. */

/* The gather of the request whose visit has just ended: the block that was visited has it. */
static struct gather *gather_of(const struct request *r)
{
    const struct gather_block *block = r->ask_argument;
    return (struct gather *)(uintptr_t)block->gather;
}

static void next_vhost(struct request *r, struct gather *gather);
static void next_worker(struct request *r, struct gather *gather);

void gather_go_on(struct request *r, struct gather *gather)
{
    if (gather->slice)
        drop_blocks(gather);
    if (gather->kind->list)
        next_vhost(r, gather);
    else
        next_worker(r, gather);
}

/* Goes on when the rows of a visit have been added. */
static void visited(struct request *r, struct gather *gather, const struct gather_block *block)
{
    size_t bytes =
        block->arena.bytes + block->count * (gather->kind->info_bytes + sizeof(struct row));
    if (!account_take(gather->account, ACCOUNT_HTTP_ANSWERS, bytes)) {
        respond_no_room(r);
        return;
    }
    gather->held_bytes += bytes;
    if (gather->slice)
        gather->slice(r, gather);
    else
        gather_go_on(r, gather);
}

static void vhost_visited(struct request *r)
{
    struct gather_block *block = r->ask_argument;
    struct gather *gather = gather_of(r);
    bool more = block->seen > 0;
    gather->after = block->after;
    add_rows(gather, block, bytes_of_text(gather->vhosts[gather->vhost_at]));
    if (!more) {
        gather->after = 0;
        gather->vhost_at++;
    }
    visited(r, gather, block);
}

static void next_vhost(struct request *r, struct gather *gather)
{
    while (gather->vhost_at < gather->vhost_count) {
        struct bytes vhost = bytes_of_text(gather->vhosts[gather->vhost_at]);
        struct gather_block *block = block_new(gather, GATHER_SLICE);
        if (request_try(r, vhost, visit_vhost, block, vhost_visited) == STATUS_OK)
            return;
        gather->after = 0;
        gather->vhost_at++;
    }
    gather->done(r, gather);
}

static void worker_visited(struct request *r)
{
    struct gather *gather = gather_of(r);
    struct gather_block *block = r->ask_argument;
    add_rows(gather, block, bytes_of("", 0));
    gather->worker_at++;
    visited(r, gather, block);
}

static void next_worker(struct request *r, struct gather *gather)
{
    if (gather->worker_at < r->admin->options.workers)
        request_ask_sessions(r, gather->worker_at, visit_sessions, block_new(gather, 64),
                             worker_visited);
    else
        gather->done(r, gather);
}

static void run(struct request *request, void *argument)
{
    gather_go_on(request, argument);
}

void gather_run(struct request *request, struct gather *gather, const struct bytes *vhost,
                void (*done)(struct request *request, struct gather *gather))
{
    gather->done = done;
    gather->account = request->admin->account;
    if (!gather->kind->list) {
        (void)turns_take(request, run, gather);
        return;
    }
    if (vhost) {
        gather->vhosts = mem_need(sizeof *gather->vhosts);
        gather->vhosts[gather->vhost_count++] = mem_need_text(vhost->at, vhost->len);
    } else {
        bool (*may)(const struct request *, struct bytes) =
            gather->kind->monitored ? access_knows_vhost : access_sees_vhost;
        size_t count, kept = 0;
        gather->vhosts = gather_vhost_names(request->admin, &count);
        for (size_t i = 0; i < count; i++) {
            if (may(request, bytes_of_text(gather->vhosts[i])))
                gather->vhosts[kept++] = gather->vhosts[i];
            else
                free(gather->vhosts[i]);
        }
        gather->vhost_count = kept;
    }
    (void)turns_take(request, run, gather);
}

/* ---- Names of vhosts. */

struct names {
    char **names;
    size_t count;
};

static void add_name(void *context, const struct vhost_entry *entry)
{
    struct names *names = context;
    names->names = mem_need_array(names->names, names->count + 1, sizeof *names->names);
    names->names[names->count++] = mem_need_text(entry->name, strlen(entry->name));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **gather_vhost_names(const struct admin *admin, size_t *count)
{
    struct names names = {0};
    auth_each_vhost(admin->options.auth, add_name, &names);
    if (names.count)
        qsort(names.names, names.count, sizeof *names.names, by_name);
    *count = names.count;
    return names.names;
}

void gather_names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}
