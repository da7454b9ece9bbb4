/* Part of the api: what the broker says of itself, its feature flags, and attempts to log in.
 * Thread: the main thread. */
#ifndef LEVERET_ADMIN_ABOUT_H
#define LEVERET_ADMIN_ABOUT_H

#include "admin/http/routes.h"

extern const struct route api_about[], api_feature_flags[], api_auth_attempts[];

#endif
