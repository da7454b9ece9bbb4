/* A request's body: parsed as JSON, and read as a form. A small body is parsed at once, a large one
 * on a thread of its own, so that other requests go on meanwhile. Thread: the main thread. */
#ifndef LEVERET_ADMIN_BODY_H
#define LEVERET_ADMIN_BODY_H

#include "admin/json/form.h"

struct admin;
struct request;

/* A body of more bytes is parsed on a thread of its own. */
#define BODY_AT_ONCE_BYTES (1u << 20)

/* Parses the body into request->json and calls handle(request), now or later; or answers 400
 * not_json. The body's text is freed. */
void body_parse(struct request *request, void (*handle)(struct request *request));
/* For the admin's end: waits for the threads that parse, and frees their requests. */
void body_end(struct admin *admin);

/* The body, to be read field by field; a request without a body has no fields. */
struct form body_form(const struct request *request);
/* Returns true when nothing was wrong in the fields that were read. Otherwise answers 400 with the
 * first error and returns false. */
bool body_ok(struct request *request, const struct form *form);

#endif
