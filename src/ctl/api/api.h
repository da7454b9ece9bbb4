/* Requests to the HTTP API, and messages about those that are refused. */
#ifndef LEVERETCTL_API_H
#define LEVERETCTL_API_H

#include "ctl/api/session.h"
#include "ctl/output/value.h"

/* A path below /api, made of segments that a NULL ends; the caller frees it. The segments are
 * percent-encoded; an empty one is the default exchange's name and becomes amq.default. */
char *api_path(const char *segment, ...) __attribute__((sentinel, malloc));

struct api_request {
    const char *method;       /* NULL: GET */
    char *path;               /* from api_path; freed by the call */
    struct value *body;       /* NULL: none; freed by the call */
    const char *header;       /* NULL: none */
    const char *what, *which; /* the object that a 404 says is missing: "queue" and its name */
    bool in_vhost;   /* true when the object belongs to a virtual host, which is then named */
    bool may_miss;   /* true when a 404 is not an error: OUTCOME_OK and NULL in *out */
    bool login_only; /* true when a 401 is no error either, if the login is right and the user only
                        lacks a permission */
};

/* Sends the request. *out (out may be NULL) is the answer, which the caller frees, or NULL when it
 * is empty. An error is printed. */
enum outcome api_call(struct session *session, const struct api_request *request,
                      struct value **out);

/* Follows the events of a path, which is freed, until each returns false or the broker ends them.
 * each gets the data of an event, parsed, and its name; NULL: it has none. An error is printed. */
enum outcome api_follow(struct session *session, const struct api_request *request,
                        bool (*each)(void *context, const char *name, const struct value *event),
                        void *context);

#endif
