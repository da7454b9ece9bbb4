/* Reading a request's body as JSON: a small one at once, a large one on a thread of its own, so
 * that other requests go on meanwhile. Thread: main. */
#ifndef LEVERET_ADMIN_PARSE_H
#define LEVERET_ADMIN_PARSE_H

#include "admin/http/request.h"

/* A body above this is parsed on a thread of its own. */
#define PARSE_AT_ONCE_BYTES (1u << 20)

/* Parses the body into request->json and calls handle(request); or answers 400 not_json. The body
 * is freed. */
void body_parse(struct request *request, void (*handle)(struct request *request));
/* Waits for the threads. */
void body_end(struct admin *admin);

#endif
