/* The file of the key pid_file: this process's number, for init scripts and for `leveretctl wait`.
 *
 * It is written when clients are served, and removed at the end. What can go wrong: it cannot be
 * written: that is logged, and the broker serves all the same. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server.h"

void pid_file_write(struct server *server)
{
    const char *path = server->settings->pid_file;
    FILE *file = path ? fopen(path, "we") : NULL;
    if (!path)
        return;
    bool good = file && fprintf(file, "%d\n", (int)getpid()) > 0;
    if (file && fclose(file) != 0)
        good = false;
    server->pid_file_written = good;
    if (!good)
        log_line(server->log, LOG_WARNING, "leveretd", "pid_file: cannot write %.1000s: %s", path,
                 strerror(errno));
}

void pid_file_remove(struct server *server)
{
    if (server->pid_file_written)
        unlink(server->settings->pid_file);
    server->pid_file_written = false;
}
