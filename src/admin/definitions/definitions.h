/* Definitions: the export and the import of all that makes a broker what it is. Thread: the main
 * thread. */
#ifndef LEVERET_ADMIN_DEFINITIONS_H
#define LEVERET_ADMIN_DEFINITIONS_H

#include "admin/http/routes.h"

extern const struct route definitions_routes[], import_routes[];

/* Imports the definitions in the request's JSON, and answers. (import.c) */
void import_all(struct request *request);

#endif
