/* Which pages of other origins may use the API from a browser. Thread: the main thread. */
#ifndef LEVERET_ADMIN_CORS_H
#define LEVERET_ADMIN_CORS_H

#include "leveret/base/text.h"

struct admin_options;
struct request;

/* Adds the fields of the answer's head that allow the request's origin to read it, when the options
 * do. */
void cors_write(const struct admin_options *options, const struct request *request,
                struct text *out);

#endif
