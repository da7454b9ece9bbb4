/* Part of the api: global parameters, and the cluster's name, which is one of them. Thread: the
 * main thread.
 */
#ifndef LEVERET_ADMIN_GLOBAL_PARAMETERS_H
#define LEVERET_ADMIN_GLOBAL_PARAMETERS_H

#include "admin/http/routes.h"
#include "admin/json/form.h"

extern const struct route api_global_parameters[];

/* Writes all of them, as definitions have them, under "global_parameters". */
void api_global_parameters_write(struct answer *answer, struct auth *auth);
/* Notes in the form why it is no global parameter that can be set. */
void api_global_parameter_check(struct form *form, const char *name);
/* Sets a parameter to the form's field "value". Errors: as auth_put_parameter; what is wrong with
 * the value is noted in the form. */
MUST_USE enum status api_global_parameter_from_json(struct auth *auth, const char *name,
                                                    struct form *form, bool *created);

#endif
