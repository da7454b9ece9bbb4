/* Uploads: a body with definitions is JSON, JSON behind a byte order mark, or a form with a file of
 * it, as browsers and curl -F send. Thread: any. */
#ifndef LEVERET_ADMIN_UPLOAD_H
#define LEVERET_ADMIN_UPLOAD_H

#include "leveret/base/bytes.h"

/* The JSON in the body, as a view. content_type may be NULL. In multipart/form-data (RFC 7578) it
 * is the part named "file", or else the first part; it is empty when there is no part. */
struct bytes upload_json(const char *content_type, struct bytes body);

#endif
