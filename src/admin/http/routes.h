/* Which function answers which path: a constant table, and who may ask. Thread: main. */
#ifndef LEVERET_ADMIN_ROUTE_H
#define LEVERET_ADMIN_ROUTE_H

#include "admin/http/request.h"

enum access {
    ACCESS_ANYBODY, /* no password */
    ACCESS_USER,    /* a tag that lets one in (management) */
    ACCESS_VHOST, /* and, with ":v" in the path, sight of the vhost or, to change, permissions on it
                   */
    ACCESS_KNOWN, /* the same, and who monitors needs no permissions */
    ACCESS_POLICYMAKER, /* policymaker, and as ACCESS_VHOST; or administrator */
    ACCESS_MONITORING,  /* monitoring or administrator */
    ACCESS_ADMINISTRATOR,
};

/* What a request's body may be, in bytes and in values of JSON. */
enum body_class {
    BODY_SMALL,   /* one object's fields: BODY_SMALL_BYTES */
    BODY_NAMES,   /* a list of names: BODY_NAMES_BYTES */
    BODY_MESSAGE, /* a message: twice the largest one, for its encoding, and a small one's fields */
    BODY_DEFINITIONS, /* definitions: http_limits.body_bytes_max */
};
#define BODY_SMALL_BYTES 65536u
#define BODY_NAMES_BYTES 1048576u
/* Values in the JSON of a body, but for definitions: more are refused before they are parsed. */
#define BODY_VALUES_MAX 65536u
/* What a value of JSON takes when it has been parsed, for the account. */
#define VALUE_BYTES 96u

struct route {
    enum http_method method;
    const char *pattern; /* "/api/queues/:v/:q": a part that begins with ':' stands for any one */
    void (*handle)(struct request *request);
    enum access access;
    enum body_class body;
};

/* The table; its end has no pattern. Of several that match, the first counts. */
extern const struct route routes[];

/* Whether the path (as sent) fits the pattern; then parts[] are its variable parts, as sent, *count
 * of them. */
bool routes_match(const char *pattern, const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                  size_t *count);
/* The route for method and path, HEAD being GET; NULL: none. allow then lists the methods that
 * the path has ("GET, PUT"), or is empty when there is no such path. */
const struct route *routes_find(const struct route *table, enum http_method method,
                                const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                                size_t *count, char allow[64]);

/* Finds the route and checks who asks. True: the body is wanted, of at most body_bytes_max bytes,
 * and dispatch_handle is to be called with it. False: the request has been answered, or will be. */
bool dispatch_begin(struct request *request);
/* Parses the body and calls the handler: or answers why not. */
void dispatch_handle(struct request *request);

#endif
