/* load_definitions: a file of definitions that is imported at each start, before clients are
 * served.
 *
 * Normal course: once the workers run, the file is read and imported like one that a client of the
 * API sends; the main loop runs until that is done. Connections that arrive meanwhile are accepted
 * and wait. What can go wrong: the file cannot be read, or is refused as a whole: the start fails.
 * A part of it cannot be imported (a queue exists and is different): that is logged, and the start
 * goes on. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "server.h"

/* The number of connections that wait; more are closed. */
#define KEPT_MAX 1024u

/* ---- Connections that arrive before clients are served. */

void load_keep(struct server *server, struct kept kept)
{
    if (!server->kept)
        server->kept = mem_need_array(NULL, KEPT_MAX, sizeof *server->kept);
    if (server->kept_count < KEPT_MAX) {
        server->kept[server->kept_count++] = kept;
        return;
    }
    close(kept.fd);
    quota_give(&server->amqp_sockets);
}

void load_free(struct server *server)
{
    while (server->kept_count)
        close(server->kept[--server->kept_count].fd);
    free(server->kept);
    server->kept = NULL;
}

static void open_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct server *server;
    (void)bytes;
    memcpy(&server, letter, sizeof server);
    if (!receiver)
        return;
    server->open = true;
    for (size_t i = 0; i < server->kept_count; i++)
        server_accept(server, server->kept[i]);
    server->kept_count = 0;
}

/* ---- The file. */

static bool read_file(const char *path, struct text *out)
{
    FILE *file = fopen(path, "re");
    size_t got = 1;
    if (!file)
        return false;
    while (got && out->len <= ADMIN_IMPORT_BYTES_MAX) {
        got = fread(text_reserve(out, 65536), 1, 65536, file);
        out->len += got;
    }
    bool good = !ferror(file);
    if (good && got) {
        errno = EFBIG;
        good = false;
    }
    int saved = errno;
    fclose(file);
    errno = saved;
    return good;
}

struct definitions_load {
    struct server *server;
    struct text json;
    char *refused; /* why the import was refused; NULL: it was not */
};

static void imported(void *context, int code, const char *reason)
{
    struct definitions_load *loading = context;
    if (code >= 400)
        loading->refused = mem_need_text(reason, strlen(reason));
    loop_stop(loading->server->loop);
}

/* Runs on the main loop, where the API works. */
static void begin_letter(struct loop *receiver, void *letter, size_t bytes)
{
    struct definitions_load *loading;
    (void)bytes;
    memcpy(&loading, letter, sizeof loading);
    if (receiver)
        admin_import(loading->server->admin, &loading->json, imported, loading);
}

static enum status load(struct server *server, const char *path, char **error)
{
    struct definitions_load loading = {.server = server}, *letter = &loading;
    if (!read_file(path, &loading.json)) {
        if (asprintf(error, "load_definitions: cannot read %s: %s", path, strerror(errno)) < 0)
            *error = NULL;
        text_free(&loading.json);
        return STATUS_IO;
    }
    log_line(server->log, LOG_INFO, "leveretd", "importing definitions from %.1000s", path);
    loop_post(server->loop, begin_letter, &letter, sizeof letter);
    loop_run(server->loop);
    if (!loading.refused)
        return STATUS_OK;
    if (asprintf(error, "load_definitions: %s: %s", path, loading.refused) < 0)
        *error = NULL;
    free(loading.refused);
    return STATUS_MALFORMED;
}

enum status load_definitions(struct server *server, char **error)
{
    const char *path = server->settings->load_definitions;
    enum status status = path ? load(server, path, error) : STATUS_OK;
    if (status == STATUS_OK)
        loop_post(workers_loop(server->workers, 0), open_letter, &server, sizeof server);
    return status;
}
