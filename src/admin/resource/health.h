/* Part of the api: health checks, and what their files share. Thread: the main thread. */
#ifndef LEVERET_ADMIN_HEALTH_H
#define LEVERET_ADMIN_HEALTH_H

#include "admin/http/routes.h"

extern const struct route api_health[], api_health_listeners[], api_health_quorum[];

/* Answers 200 {"status": "ok"}. */
void health_respond_ok(struct request *request);
/* Begins the object that a failed check answers, with 503. */
void health_begin_failed(struct answer *answer, const char *reason);

#endif
