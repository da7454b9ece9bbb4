/* Part of the api: connections, their channels and their consumers. Thread: the main thread. */
#ifndef LEVERET_ADMIN_CONNECTIONS_H
#define LEVERET_ADMIN_CONNECTIONS_H

#include "admin/http/routes.h"

struct row;

extern const struct route api_connections[], api_channels[], api_consumers[];

/* Closes the connections of users that were deleted, then answers 204; when status is not OK, which
 * says that not all of them could be deleted, answers that with text instead. The names must live
 * as long as the request, but not in its work, which is replaced. */
void api_connections_close_of_deleted(struct request *request, const char *const *users,
                                      size_t count, enum status status, const char *text);

/* Writes the fields of a consumer, a row of gather_consumers, into the object that is open. */
void api_consumer_write(struct request *request, struct answer *answer, const struct row *row);

#endif
