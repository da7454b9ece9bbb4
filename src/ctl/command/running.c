/* Running the node: waiting for it, its log, its listeners, its end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/api/api.h"
#include "ctl/api/node_name.h"
#include "ctl/command/command.h"
#include "ctl/command/node.h"
#include "leveret/base/number.h"

/* Milliseconds between two tries while a command waits for the broker. */
#define TRY_MS 500
/* Seconds that such a command waits when --timeout does not say. */
#define WAIT_S 60

/* ---- Helpers. */

enum outcome node_send(struct session *session, const char *method, const char *path,
                       struct value *body)
{
    struct text whole = {0};
    const char *node = node_name(session);
    const char *mark = strstr(path, ":n");
    if (!node) {
        value_free(&body);
        return session->failed;
    }
    text_printf(&whole, "/api/%.*s", (int)(mark - path), path);
    http_quote(&whole, node);
    text_printf(&whole, "%s%c", mark + 2, 0);
    const struct api_request request = {.method = method,
                                        .path = (char *)whole.at,
                                        .body = body,
                                        .header = "X-Reason: asked for by leveretctl",
                                        .what = "node"};
    return api_call(session, &request, NULL);
}

enum outcome node_do(struct session *session, const char *method, const char *path)
{
    return node_send(session, method, path, strcmp(method, "DELETE") == 0 ? NULL : value_new_map());
}

static void pause_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    (void)nanosleep(&time, NULL);
}

/* ---- Waiting. */

static bool answers(struct session *session)
{
    struct http_answer answer;
    bool answered = http_do(session->http, "GET", "/api/auth", bytes_of("", 0), NULL, &answer);
    text_free(&answer.body);
    return answered;
}

/* Waits until the process with this number (0: of any) and the API answer. */
static enum outcome wait_for(struct session *session, long pid)
{
    long left_ms = (session->options->timeout_s > 0 ? session->options->timeout_s : WAIT_S) * 1000L;
    for (; left_ms > 0; left_ms -= TRY_MS) {
        if (pid && kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
            complain("process %ld does not run", pid);
            return OUTCOME_REFUSED;
        }
        if (answers(session))
            return OUTCOME_OK;
        pause_ms(TRY_MS);
    }
    complain("the broker does not answer");
    return OUTCOME_UNREACHABLE;
}

static enum outcome run_await_startup(struct session *session)
{
    return wait_for(session, 0);
}

/* The number in a file that the broker writes when it starts; it may not be there yet. */
static long read_pid(const char *path)
{
    char line[32] = "";
    uint64_t pid = 0;
    FILE *file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!number_read(line, INT32_MAX, &pid))
            pid = 0;
    }
    if (file)
        fclose(file);
    return (long)pid;
}

static enum outcome run_wait(struct session *session)
{
    const char *path = session_arg(session, 0);
    long pid = (long)option_number(session->options, OPTION_PID, 0);
    if (!path == !pid) {
        complain("say the file with the process's number, or --pid");
        return OUTCOME_USAGE;
    }
    for (long waited = 0; path && !pid && waited < WAIT_S * 1000L; waited += TRY_MS) {
        pid = read_pid(path);
        if (!pid)
            pause_ms(TRY_MS);
    }
    if (!pid) {
        complain("%s has no number of a process", path);
        return OUTCOME_LOCAL;
    }
    return wait_for(session, pid);
}

/* ---- Changes. */

/* detail is the path. */
static enum outcome run_post(struct session *session)
{
    return node_do(session, "POST", session->command->detail);
}

static enum outcome run_set_log_level(struct session *session)
{
    struct value *body = value_new_map();
    value_set(body, "log_level", value_new_text(session->args[0]));
    return node_send(session, "PUT", "nodes/:n/settings", body);
}

/* Closes the connections of a virtual host, or all, a few at a time when that is asked for. */
static enum outcome run_close_all(struct session *session)
{
    const struct options *o = session->options;
    bool everywhere = !option_given(o, OPTION_VHOST);
    uint64_t most = (uint64_t)option_number(o, OPTION_LIMIT, 0), closed = 0;
    const struct api_request all = {.path = everywhere
                                                ? api_path("connections", NULL)
                                                : api_path("vhosts", o->vhost, "connections", NULL),
                                    .what = "virtual host",
                                    .which = o->vhost};
    struct value *list = NULL;
    struct text reason = {0};
    enum outcome outcome = api_call(session, &all, &list);
    text_printf(&reason, "X-Reason: %s%c", session->args[0], 0);
    for (size_t i = 0; outcome == OUTCOME_OK && i < value_count(list); i++) {
        const char *name = value_text(value_get(value_at(list, i), "name"));
        if (most && closed == most)
            break;
        const struct api_request one = {.method = "DELETE",
                                        .path = api_path("connections", name ? name : "", NULL),
                                        .header = (const char *)reason.at,
                                        .may_miss = true};
        outcome = api_call(session, &one, NULL);
        closed++;
        pause_ms((long)option_number(o, OPTION_DELAY, 0));
    }
    value_free(&list);
    text_free(&reason);
    return outcome;
}

/* clang-format off */
static const struct command commands[] = {
    {"await_startup", "", {0}, run_await_startup, NULL, "nobody",
     "Wait until the broker answers, for at most --timeout seconds"},
    {"wait", "[PIDFILE]", {OPTION_PID}, run_wait, NULL, "nobody",
     "The same for the process whose number the file has, or --pid"},
    {"shutdown", "", {0}, run_post, "nodes/:n/shutdown", NEEDS_ADMIN,
     "Stop the broker; clients are told, and all is committed"},
    {"stop", "", {0}, run_post, "nodes/:n/shutdown", NEEDS_ADMIN,
     "The same"},
    {"suspend_listeners", "", {0}, run_post, "nodes/:n/listeners/suspend", NEEDS_ADMIN,
     "Take no new AMQP connections"},
    {"resume_listeners", "", {0}, run_post, "nodes/:n/listeners/resume", NEEDS_ADMIN,
     "Take them again"},
    {"rotate_logs", "", {0}, run_post, "nodes/:n/log/rotate", NEEDS_ADMIN,
     "Begin a new log file"},
    {"set_log_level", "LEVEL", {0}, run_set_log_level, NULL, NEEDS_ADMIN,
     "debug, info, warning, error or none, until the next start"},
    {"close_all_connections", "REASON", {OPTION_VHOST, OPTION_LIMIT, OPTION_DELAY}, run_close_all, NULL, NEEDS_ADMIN,
     "Close all connections, of one virtual host with -p; clients are told the reason"},
};
/* clang-format on */
const struct area running_area = AREA("Running the node", commands);
