/* Connections, channels and consumers of clients. */
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "leveret/base/text.h"

static enum outcome close_connections(struct session *s, char *path, const char *what)
{
    struct text header = {0};
    text_printf(&header, "X-Reason: %s%c", s->args[1], 0);
    /* A line end in the text would begin another header. */
    for (size_t i = 0; i + 1 < header.len; i++)
        if (header.at[i] < 0x20)
            header.at[i] = ' ';
    const struct api_request request = {.method = "DELETE",
                                        .path = path,
                                        .header = (const char *)header.at,
                                        .what = what,
                                        .which = s->args[0]};
    enum outcome outcome = api_call(s, &request, NULL);
    text_free(&header);
    return outcome;
}

static enum outcome run_close_connection(struct session *session)
{
    return close_connections(session, api_path("connections", session->args[0], NULL),
                             "connection");
}

static enum outcome run_close_user_connections(struct session *session)
{
    return close_connections(session, api_path("connections", "username", session->args[0], NULL),
                             "user");
}

/* clang-format off */
static const struct command commands[] = {
    {"list_connections", "[COLUMN...]", {OPTION_VHOST}, run_list, "connections", NEEDS_ANY,
     "Connections"},
    {"list_channels", "[COLUMN...]", {OPTION_VHOST}, run_list, "channels", NEEDS_ANY,
     "Channels"},
    {"list_consumers", "[COLUMN...]", {OPTION_VHOST, OPTION_ALL_VHOSTS}, run_list, "consumers", NEEDS_ANY,
     "Consumers"},
    {"close_connection", "NAME REASON", {0}, run_close_connection, NULL, "one's own connections; all: administrator",
     "Close the connection that list_connections name shows so"},
    {"close_all_user_connections", "USER REASON", {0}, run_close_user_connections, NULL, "one's own connections; all: administrator",
     "Close all connections of a user"},
};
/* clang-format on */
const struct area clients_area = AREA("Clients", commands);
