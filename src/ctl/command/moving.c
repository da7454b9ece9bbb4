/* Looking at messages, and moving them.
 *
 * Normal course of move and redrive: the broker starts a task, which is asked for twice a second
 * until it has ended; on a terminal a line shows how far it is. What can go wrong: SIGINT or
 * SIGTERM: the task is stopped, and what it has moved stays moved; nothing is lost either way. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/output/rows.h"

/* Milliseconds between two looks at a task. */
#define LOOK_MS 500

/* ---- Peek. */

static const struct column message_columns[] = {
    {"position", "position"},
    {"id", "id"},
    {"state", "state"},
    {"exchange", "exchange"},
    {"routing_key", "routing_key"},
    {"redelivered", "redelivered"},
    {"returns", "delivery_count"},
    {"consumer", "consumer.connection"},
    {"properties", "properties"},
    {"bytes", "payload_bytes"},
    {"encoding", "payload_encoding"},
    {"body", "payload"},
};

static void print_rows(const struct options *o, const struct value *list,
                       const struct column *columns, size_t count)
{
    struct rows rows;
    rows_begin(&rows, &o->style, columns, count, true);
    for (size_t i = 0; i < value_count(list); i++)
        rows_add(&rows, value_at(list, i));
    rows_end(&rows);
}

static enum outcome run_peek(struct session *session)
{
    const struct options *o = session->options;
    const char *from = option_text(o, OPTION_FROM), *state = option_text(o, OPTION_STATE);
    struct value *body = value_new_map(), *messages = NULL;
    if (option_given(o, OPTION_UNACKED))
        state = "unacked";
    value_set(body, "count", value_new_int(option_number(o, OPTION_COUNT, 1)));
    value_set(body, "offset", value_new_int(option_number(o, OPTION_OFFSET, 0)));
    if (from)
        value_set(body, "from", value_new_text(from));
    if (state)
        value_set(body, "state", value_new_text(state));
    const struct api_request request = {
        .method = "POST",
        .path = api_path("queues", o->vhost, session->args[0], "peek", NULL),
        .body = body,
        .what = "queue",
        .which = session->args[0],
        .in_vhost = true};
    enum outcome outcome = api_call(session, &request, &messages);
    if (outcome == OUTCOME_OK)
        print_rows(o, messages, message_columns, sizeof message_columns / sizeof *message_columns);
    value_free(&messages);
    return outcome;
}

/* ---- Tasks. */

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static const struct column task_columns[] = {
    {"id", "id"},         {"vhost", "vhost"}, {"queue", "queue"},        {"to", "to"},
    {"state", "state"},   {"moved", "moved"}, {"skipped", "skipped"},    {"left", "left"},
    {"rate", "rate"},     {"user", "user"},   {"started", "started_at"}, {"waits for", "waits_for"},
    {"reason", "reason"},
};

static void show_progress(const struct value *task)
{
    const char *waits = value_text(value_get(task, "waits_for"));
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%.0f moved, %.0f left, %.0f a second%s%s",
            value_number(value_get(task, "moved")), value_number(value_get(task, "left")),
            value_number(value_get(task, "rate")), waits ? "; waiting: " : "", waits ? waits : "");
    fflush(stderr);
}

static void end_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static enum outcome ask_task(struct session *session, const char *method, const char *id,
                             struct value **task)
{
    const struct api_request request = {
        .method = method, .path = api_path("tasks", id, NULL), .what = "task", .which = id};
    return api_call(session, &request, task);
}

static bool has_ended(const struct value *task)
{
    return value_get(task, "ended_at") != NULL;
}

static void pause_a_little(void)
{
    const struct timespec time = {.tv_nsec = LOOK_MS * 1000000L};
    (void)nanosleep(&time, NULL);
}

/* Follows the task until it has ended; *task is then its last state. */
static enum outcome follow(struct session *session, struct value **task)
{
    char id[24];
    bool stopping = false;
    enum outcome outcome = OUTCOME_OK;
    snprintf(id, sizeof id, "%.0f", value_number(value_get(*task, "id")));
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    while (outcome == OUTCOME_OK && !has_ended(*task)) {
        show_progress(*task);
        pause_a_little();
        if (interrupted && !stopping) {
            stopping = true;
            outcome = ask_task(session, "DELETE", id, NULL);
        }
        value_free(task);
        if (outcome == OUTCOME_OK)
            outcome = ask_task(session, NULL, id, task);
    }
    end_progress();
    return outcome;
}

/* Prints how the task has ended. */
static enum outcome report(const struct session *session, const struct value *task)
{
    const char *state = value_text(value_get(task, "state"));
    const char *why = value_text(value_get(task, "reason"));
    rows_print_one(&session->options->style, task_columns,
                   sizeof task_columns / sizeof *task_columns, task);
    if (state && strcmp(state, "done") == 0)
        return OUTCOME_OK;
    complain("the move has %s%s%s", state ? state : "ended", why ? ": " : "", why ? why : "");
    return OUTCOME_REFUSED;
}

/* Starts a task with this target, which it frees, and follows it. */
static enum outcome move(struct session *session, struct value *to)
{
    const struct options *o = session->options;
    struct value *body = value_new_map(), *task = NULL;
    value_set(body, "to", to);
    if (option_given(o, OPTION_COUNT))
        value_set(body, "count", value_new_int(option_number(o, OPTION_COUNT, 1)));
    if (option_given(o, OPTION_RATE))
        value_set(body, "rate", value_new_int(option_number(o, OPTION_RATE, 0)));
    value_set(body, "dry_run", value_new_bool(option_given(o, OPTION_DRY_RUN)));
    value_set(body, "restore_expiration",
              value_new_bool(option_given(o, OPTION_RESTORE_EXPIRATION)));
    const struct api_request request = {
        .method = "POST",
        .path = api_path("queues", o->vhost, session->args[0], "move", NULL),
        .body = body,
        .what = "queue",
        .which = session->args[0],
        .in_vhost = true};
    enum outcome outcome = api_call(session, &request, &task);
    if (outcome == OUTCOME_OK && !option_given(o, OPTION_NO_WAIT))
        outcome = follow(session, &task);
    if (outcome == OUTCOME_OK && option_given(o, OPTION_NO_WAIT))
        rows_print_one(&o->style, task_columns, sizeof task_columns / sizeof *task_columns, task);
    else if (outcome == OUTCOME_OK)
        outcome = report(session, task);
    value_free(&task);
    return outcome;
}

static enum outcome run_move(struct session *session)
{
    const struct options *o = session->options;
    const char *queue = session_arg(session, 1), *exchange = option_text(o, OPTION_EXCHANGE);
    const char *key = option_text(o, OPTION_ROUTING_KEY);
    if (!queue == !exchange) {
        complain("say where to: a queue as second argument, or --exchange");
        return OUTCOME_USAGE;
    }
    if (key && !exchange) {
        complain("--routing-key needs --exchange");
        return OUTCOME_USAGE;
    }
    struct value *to = value_new_map();
    if (queue)
        value_set(to, "queue", value_new_text(queue));
    else
        value_set(to, "exchange", value_new_text(exchange));
    if (key)
        value_set(to, "routing_key", value_new_text(key));
    return move(session, to);
}

static enum outcome run_redrive(struct session *session)
{
    const char *to = option_text(session->options, OPTION_TO);
    return move(session, value_new_text(to ? to : "source"));
}

static enum outcome run_list_tasks(struct session *session)
{
    struct value *tasks = NULL;
    const struct api_request request = {.path = api_path("tasks", NULL), .what = "tasks"};
    enum outcome outcome = api_call(session, &request, &tasks);
    if (outcome == OUTCOME_OK)
        print_rows(session->options, tasks, task_columns,
                   sizeof task_columns / sizeof *task_columns);
    value_free(&tasks);
    return outcome;
}

static enum outcome run_stop_task(struct session *session)
{
    return ask_task(session, "DELETE", session->args[0], NULL);
}

/* ---- Pausing. */

/* detail is the last part of the path. */
static enum outcome run_pause(struct session *session)
{
    const char *name = session->args[0];
    const struct api_request request = {
        .method = "PUT",
        .path = api_path("queues", session->options->vhost, name, session->command->detail, NULL),
        .what = "queue",
        .which = name,
        .in_vhost = true};
    return api_call(session, &request, NULL);
}

/* clang-format off */
static const struct command commands[] = {
    {"peek", "QUEUE", {OPTION_VHOST, OPTION_COUNT, OPTION_OFFSET, OPTION_FROM, OPTION_STATE, OPTION_UNACKED}, run_peek, NULL, "read",
     "Look at messages of a queue and change nothing: not their order, marks or counts"},
    {"move", "FROM [TO]", {OPTION_VHOST, OPTION_EXCHANGE, OPTION_ROUTING_KEY, OPTION_COUNT, OPTION_RATE, OPTION_RESTORE_EXPIRATION, OPTION_DRY_RUN, OPTION_NO_WAIT}, run_move, NULL, "read on FROM, write where they go",
     "Move the messages that are ready in queue FROM to queue TO or to an exchange.\n"
     "What arrives meanwhile is not moved. Ctrl-C stops it"},
    {"redrive", "QUEUE", {OPTION_VHOST, OPTION_TO, OPTION_COUNT, OPTION_RATE, OPTION_RESTORE_EXPIRATION, OPTION_DRY_RUN, OPTION_NO_WAIT}, run_redrive, NULL, "read on QUEUE, write where they go",
     "Send the dead letters in a queue back to where they came from"},
    {"list_tasks", "", {OPTION_NONE}, run_list_tasks, NULL, NEEDS_ANY,
     "Moves that are under way, and those that have ended"},
    {"stop_task", "ID", {OPTION_NONE}, run_stop_task, NULL, "read",
     "Stop a move; what it has moved stays moved"},
    {"pause_queue", "QUEUE", {OPTION_VHOST}, run_pause, "pause", "configure",
     "Let a queue deliver nothing until it is resumed, also over a restart"},
    {"resume_queue", "QUEUE", {OPTION_VHOST}, run_pause, "resume", "configure",
     "Let a paused queue deliver again"},
};
/* clang-format on */
const struct area moving_area = AREA("Looking at queues, moving messages", commands);
