/* Who asks, and what he may. Thread: main. */
#ifndef LEVERET_ADMIN_ACCESS_H
#define LEVERET_ADMIN_ACCESS_H

#include "admin/http/request.h"

enum credentials {
    CREDENTIALS_GOOD,
    CREDENTIALS_NONE,    /* no credentials came, or none that can be read */
    CREDENTIALS_WRONG,   /* wrong ones: the answer is due after *late_ms */
    CREDENTIALS_REFUSED, /* the same; they have not been looked at, after too many wrong ones */
};
/* Checks the request's basic authentication, counts it, and fills in user and rights. */
enum credentials access_check(struct request *request, uint32_t *late_ms);

/* A user's tags ("administrator,monitoring") as rights; what the stronger ones include is set too.
 */
unsigned access_rights(const char *tags);

#endif
