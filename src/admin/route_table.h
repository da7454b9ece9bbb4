/* All routes of the API. Thread: any. */
#ifndef LEVERET_ADMIN_ROUTE_TABLE_H
#define LEVERET_ADMIN_ROUTE_TABLE_H

struct route;

/* For routes_find; its end is NULL. */
extern const struct route *const route_tables[];

#endif
