/* Where in a body the JSON is: definitions come as they are, with a byte order mark, or as a form
 * with a file. Any thread. */
#ifndef LEVERET_ADMIN_UPLOAD_H
#define LEVERET_ADMIN_UPLOAD_H

#include "leveret/base/bytes.h"

/* The JSON within a body; a view of it. content_type may be NULL. Of multipart/form-data (RFC 7578)
 * it is the part named "file", else the first one; empty when there is none. */
struct bytes upload_json(const char *content_type, struct bytes body);

#endif
