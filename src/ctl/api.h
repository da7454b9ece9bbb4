/* Asking the HTTP API, and saying what it answers when that is no. */
#ifndef LEVERETCTL_API_H
#define LEVERETCTL_API_H

#include "session.h"
#include "value.h"

/* A path below /api from segments, the last one NULL; owned. The segments are percent-encoded; an
 * empty one is the default exchange's name and becomes amq.default. */
char *api_path(const char *segment, ...) __attribute__((sentinel, malloc));

struct api_request {
    const char *method;       /* NULL: GET */
    char *path;               /* api_path's; freed by the call */
    struct value *body;       /* NULL: none; freed by the call */
    const char *header;       /* NULL: none */
    const char *what, *which; /* what is not there when the answer is 404: "queue", its name */
    bool in_vhost;            /* it is to be sought in the virtual host */
    bool may_miss;            /* 404 is no error: OUTCOME_OK and NULL in *out */
    bool login_only; /* nor is a 401 for what the user may, when the login itself went well */
};

/* *out (may be NULL) is the answer, owned, or NULL when there is none to speak of. What went wrong
 * has been said. */
enum outcome api_call(struct session *session, const struct api_request *request,
                      struct value **out);

#endif
