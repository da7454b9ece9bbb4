/* One run of leveretctl: its command, its options and its HTTP client. The program has one thread
 * and does one command. */
#ifndef LEVERETCTL_SESSION_H
#define LEVERETCTL_SESSION_H

#include "ctl/api/http.h"
#include "ctl/options/options.h"
#include "ctl/output/complain.h"

struct command;

struct session {
    const struct options *options;
    const struct command *command;
    const char *needs; /* the tag or the permission that a user needs for the command */
    struct http *http;
    char **args; /* the command's arguments, whose number was checked */
    int arg_count;
    char *node;          /* the node's name once it is known; freed with the session */
    enum outcome failed; /* why a request of a helper failed */
};

/* Where the options say that the broker is; valid as long as they. */
struct http_target session_target(const struct options *options);
/* The same for messages: "host:port" or the socket's path. */
void session_place(const struct options *options, char *out, size_t room);

/* Argument number i, or NULL when it was left out. */
static inline const char *session_arg(const struct session *session, int i)
{
    return i < session->arg_count ? session->args[i] : NULL;
}

#endif
