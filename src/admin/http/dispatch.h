/* The way of a request to the function that answers it: an http_service over the admin's routes.
 * Thread: the main thread. */
#ifndef LEVERET_ADMIN_DISPATCH_H
#define LEVERET_ADMIN_DISPATCH_H

#include <stdbool.h>

struct request;

/* Finds the request's route among the admin's route_tables, and checks the path, who asks and what
 * that user may do. See http_service's begin. */
bool dispatch_begin(struct request *request);
/* Parses the body and calls the route's function, or answers why not. See http_service's handle. */
void dispatch_handle(struct request *request);

#endif
