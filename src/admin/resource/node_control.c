/* Part of the api: what the node can be told to do: take no new AMQP connections, take them again,
 * put its log file aside, end. leveretd does it (struct admin_control). */
#include <stdio.h>

#include "admin/json/answer.h"
#include "admin/resource/node.h"

/* ---- Listeners. */

static void listeners_done(void *context, const char *error)
{
    struct request *r = context;
    r->asking = false;
    if (r->admin->closed)
        request_free(r);
    else if (error)
        respond_error(r, 500, "internal_server_error", error);
    else
        respond_empty(r, 204);
}

static void set_listening(struct request *r, bool on)
{
    const struct admin_options *options = &r->admin->options;
    if (!request_names_node(r, r->args[0]))
        return;
    log_line(options->log, LOG_WARNING, "http", "listeners of AMQP %s by '%s'",
             on ? "resumed" : "suspended: no new connection is taken", r->user);
    r->asking = true;
    options->control.listen(options->control.context, on, listeners_done, r);
}

static void suspend_listeners(struct request *r)
{
    set_listening(r, false);
}

static void resume_listeners(struct request *r)
{
    set_listening(r, true);
}

/* ---- The log. */

static void rotate_log(struct request *r)
{
    const struct admin_options *options = &r->admin->options;
    if (!request_names_node(r, r->args[0]))
        return;
    enum status status = log_rotate(options->log);
    if (status == STATUS_OK)
        log_line(options->log, LOG_INFO, "http", "log file put aside by '%s'", r->user);
    if (status == STATUS_OK)
        respond_empty(r, 204);
    else if (status == STATUS_NOT_FOUND)
        respond_error(r, 400, "bad_request", "The log is written to no file");
    else
        respond_status(r, status, NULL);
}

/* ---- The end. */

/* The reason is asked for, so that no client ends the broker by a mistake in a path, and no page of
 * another site by a form. */
static void shut_down(struct request *r)
{
    const struct admin_options *options = &r->admin->options;
    if (!request_names_node(r, r->args[0]))
        return;
    if (!r->reason || !*r->reason) {
        respond_bad_request(r, "The header field X-Reason must say why the broker is to end");
        return;
    }
    log_line(options->log, LOG_WARNING, "http", "shutdown asked for by '%s': %s", r->user,
             r->reason);
    options->control.stop(options->control.context);
    respond_empty(r, 204);
}

/* ---- Routes. */

const struct route api_node_control[] = {
    {METHOD_POST, "/api/nodes/:n/listeners/suspend", suspend_listeners, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_POST, "/api/nodes/:n/listeners/resume", resume_listeners, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_POST, "/api/nodes/:n/log/rotate", rotate_log, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_POST, "/api/nodes/:n/shutdown", shut_down, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
