/* load_definitions: files of definitions that are imported at each start, before clients are
 * served.
 *
 * Normal course: once the workers run, each file is read and imported like one that a client of the
 * API sends; the main loop runs until that is done. Connections that arrive meanwhile are accepted
 * and wait. With definitions.skip_if_unchanged a file that the start before has imported is passed
 * over. What can go wrong: a file cannot be read, or is refused as a whole: the start fails. A part
 * of it cannot be imported (a queue exists and is different): that is logged, the start goes on,
 * and the next one imports all files again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "definitions_files.h"
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

/* ---- One file. */

struct definitions_load {
    struct server *server;
    struct text json;
    int code;
    char *refused; /* why the import was refused, a line for each error; NULL: it was not */
};

static void imported(void *context, int code, const char *reason)
{
    struct definitions_load *loading = context;
    loading->code = code;
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

/* Imports a file, whose content is taken. *whole: true when all of it was carried out. */
static enum status import(struct server *server, const char *path, struct text *json, bool *whole,
                          char **error)
{
    struct definitions_load loading = {.server = server, .json = *json}, *letter = &loading;
    *json = (struct text){0};
    log_line(server->log, LOG_INFO, "leveretd", "importing definitions from %.1000s", path);
    loop_post(server->loop, begin_letter, &letter, sizeof letter);
    loop_run(server->loop);
    *whole = loading.code != ADMIN_IMPORT_IN_PART;
    if (!loading.refused)
        return STATUS_OK;
    if (asprintf(error, "load_definitions: %s is refused, nothing in it was carried out:\n%s", path,
                 loading.refused) < 0)
        *error = NULL;
    free(loading.refused);
    return STATUS_MALFORMED;
}

/* ---- All files. */

/* Imports the files, but for those that the marks say are unchanged (marks: NULL: there are none).
 */
static enum status import_files(struct server *server, const struct definitions_files *files,
                                struct definitions_marks *marks, char **error)
{
    enum status status = STATUS_OK;
    bool all = true;
    for (size_t i = 0; i < files->count && status == STATUS_OK; i++) {
        const char *path = files->paths[i];
        struct text json = {0};
        bool whole = true;
        status = definitions_file_read(path, &json, error);
        if (status == STATUS_OK && marks && definitions_marks_add(marks, path, text_bytes(&json)))
            log_line(server->log, LOG_INFO, "leveretd",
                     "definitions in %.1000s are unchanged since they were imported", path);
        else if (status == STATUS_OK)
            status = import(server, path, &json, &whole, error);
        all = all && whole;
        text_free(&json);
    }
    if (status == STATUS_OK && marks && all && definitions_marks_write(marks) != STATUS_OK)
        log_line(server->log, LOG_WARNING, "leveretd",
                 "cannot write %.1000s; the next start imports definitions again", marks->path);
    return status;
}

static enum status load(struct server *server, const char *path, char **error)
{
    struct definitions_files files;
    struct definitions_marks marks = {.path = NULL};
    bool marked = server->settings->definitions_skip_unchanged;
    enum status status = definitions_files_find(path, &files, error);
    if (marked)
        definitions_marks_read(server->settings->data_dir, &marks);
    if (status == STATUS_OK)
        status = import_files(server, &files, marked ? &marks : NULL, error);
    definitions_marks_free(&marks);
    definitions_files_free(&files);
    return status;
}

enum status load_definitions(struct server *server, char **error)
{
    const char *path = server->settings->load_definitions;
    enum status status = path ? load(server, path, error) : STATUS_OK;
    if (status == STATUS_OK)
        loop_post(workers_loop(server->workers, 0), open_letter, &server, sizeof server);
    return status;
}

enum status load_look(const struct settings *settings, bool *users, char **error)
{
    struct definitions_files files = {NULL, 0};
    enum status status = STATUS_OK;
    *users = false;
    if (settings->load_definitions)
        status = definitions_files_find(settings->load_definitions, &files, error);
    for (size_t i = 0; i < files.count && status == STATUS_OK; i++) {
        struct text json = {0};
        char *why = NULL;
        bool some = false;
        status = definitions_file_read(files.paths[i], &json, error);
        if (status == STATUS_OK)
            status = admin_definitions_look(text_bytes(&json), &some, &why);
        if (why && asprintf(error, "load_definitions: %s: not_json: %s", files.paths[i], why) < 0)
            *error = NULL;
        *users = *users || some;
        free(why);
        text_free(&json);
    }
    definitions_files_free(&files);
    return status;
}
