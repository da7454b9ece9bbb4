/* Signals: blocked in all threads and read from a file descriptor by the main loop, so that nothing
 * runs inside a signal handler. */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "server.h"

static const int handled[] = {SIGTERM, SIGINT, SIGHUP};

enum status signals_block(struct server *server)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        sigaddset(&set, handled[i]);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return STATUS_IO;
    server->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return server->signal_fd < 0 ? STATUS_IO : STATUS_OK;
}

static void signalled(void *context, enum watch_events what)
{
    struct server *server = context;
    struct signalfd_siginfo info;
    (void)what;
    while (read(server->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            server_reload(server);
        } else {
            log_line(server->log, LOG_INFO, "leveretd", "%s from process %u: stopping",
                     info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT", info.ssi_pid);
            server_stop(server);
        }
    }
}

void signals_watch(struct server *server)
{
    server->signal_watch = watch_new(server->loop, server->signal_fd, signalled, server);
    watch_set(server->signal_watch, WATCH_READ);
}

void signals_free(struct server *server)
{
    if (server->signal_watch)
        watch_free(&server->signal_watch);
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    server->signal_fd = -1;
}
