/* Part of the api: pieces of objects that several resources have. Thread: the main thread. */
#ifndef LEVERET_ADMIN_DETAILS_H
#define LEVERET_ADMIN_DETAILS_H

#include "admin/json/form.h"
#include "leveret/base/text.h"

struct answer;

/* Writes what a connection's name ("127.0.0.1:5000 -> 127.0.0.1:5672") tells as an object under
 * key: name, peer_host and peer_port. */
void api_connection_write(struct answer *answer, const char *key, struct bytes connection_name);
/* Writes peer_host and peer_port alone, into the object that is open. */
void api_peer_fields(struct answer *answer, struct bytes connection_name);
/* Writes a time (milliseconds since 1970) as RabbitMQ does: "2026-01-31T12:00:00.123+00:00". */
void api_time_write(struct answer *answer, const char *key, uint64_t wall_ms);
/* Writes the exchange types, as the overview and nodes have them. */
void api_exchange_types_write(struct answer *answer);

/* Writes the tags of a user or vhost ("a,b") as the list ["a", "b"]. */
void api_tags_write(struct answer *answer, const char *key, const char *tags);
/* Reads tags, a string or a list of strings, as "a,b": not zero-ended, and nothing when the field
 * is missing. What is wrong is noted in the form. */
void api_tags_read(struct form *form, const char *key, struct text *out);

#endif
