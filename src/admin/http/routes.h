/* Routes of the API: which function answers which path, which users may ask, and how long a
 * request's body may be. Each resource has a table of its routes, beside the functions that they
 * name. Such a function gets a request (request.h) and answers it (respond.h), so both come with
 * this header. Thread: main. */
#ifndef LEVERET_ADMIN_ROUTES_H
#define LEVERET_ADMIN_ROUTES_H

#include "admin/http/request.h"
#include "admin/http/respond.h"

/* Which users may ask; others are answered 401. */
enum access {
    ACCESS_ANYBODY, /* everybody, without a password */
    ACCESS_USER,    /* users who may ask anything: RIGHT_MANAGEMENT. This holds for all below too */
    /* Users who may see the vhost that the path names (":v"); to change something, those who have
     * permissions on it. */
    ACCESS_VHOST,
    ACCESS_KNOWN,       /* the same, and to read also users who monitor */
    ACCESS_POLICYMAKER, /* users with RIGHT_POLICYMAKER, as in ACCESS_VHOST; administrators */
    ACCESS_MONITORING,  /* users who monitor; administrators */
    ACCESS_ADMINISTRATOR,
};

/* What a request's body is, which says how many bytes it may have; a longer one is refused with
 * 413. */
enum body_class {
    BODY_SMALL,   /* one object's fields: BODY_SMALL_BYTES */
    BODY_NAMES,   /* a list of names: BODY_NAMES_BYTES */
    BODY_FORM,    /* fields of a form, which are handed over unparsed: BODY_FORM_BYTES */
    BODY_MESSAGE, /* a message: twice the largest one, since it may be encoded, and a small body */
    BODY_DEFINITIONS, /* definitions: http_limits.body_bytes_max */
};
#define BODY_SMALL_BYTES 65536u
#define BODY_NAMES_BYTES 1048576u
#define BODY_FORM_BYTES  8192u
/* JSON values that a small body or a message may have; one with more is refused with 400 before it
 * is parsed. */
#define BODY_VALUES_MAX 65536u
/* Bytes that the account is told for each value of JSON in a body that is parsed. */
#define VALUE_BYTES 96u

struct route {
    enum http_method method;
    const char *pattern; /* "/api/queues/:v/:q": a part that begins with ':' fits any part */
    void (*handle)(struct request *request);
    enum access access;
    enum body_class body;
};

/* The last row of a table. */
#define ROUTES_END                                                                                 \
    {                                                                                              \
        METHOD_OTHER, NULL, NULL, ACCESS_ADMINISTRATOR, BODY_SMALL                                 \
    }

/* Returns true when the path (as sent) fits the pattern; parts[] are then the path's variable
 * parts, as sent, and *count says how many. */
bool routes_match(const char *pattern, const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                  size_t *count);
/* The first route of the tables (NULL-ended) that the method and path fit; HEAD counts as GET. When
 * there is none, returns NULL, and allow lists the methods that the path has ("HEAD, GET, PUT,
 * OPTIONS"), or is empty when no route has that path. */
const struct route *routes_find(const struct route *const *tables, enum http_method method,
                                const char *path, struct bytes parts[REQUEST_ARGS_MAX],
                                size_t *count, char allow[64]);

#endif
