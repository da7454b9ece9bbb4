/* Who asks, and what he may. Thread: main. */
#ifndef LEVERET_ADMIN_ACCESS_H
#define LEVERET_ADMIN_ACCESS_H

#include "request.h"

/* Checks the request's basic authentication and fills in user and rights. False: the log-in failed.
 */
bool access_check(struct request *request);

/* A user's tags ("administrator,monitoring") as rights; what the stronger ones include is set too.
 */
unsigned access_rights(const char *tags);

#endif
