/* Part of the api: policies and operator policies. Thread: the main thread. */
#ifndef LEVERET_ADMIN_POLICIES_H
#define LEVERET_ADMIN_POLICIES_H

#include "admin/http/routes.h"
#include "admin/listing/listing.h"

extern const struct route api_policies[];

/* For listings whose rows are policies (struct policy_info). */
void api_policy_order(const struct row *row, struct listing_order *order);
struct bytes api_policy_name(const struct row *row);
/* Answers with one policy as the kind writes it, or 404. The vhost and the policy's name are the
 * path's variable parts number first and first + 1. */
void api_policy_respond(struct request *request, unsigned first, bool operator_policy,
                        const struct listing_kind *kind);

#endif
