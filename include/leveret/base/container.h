/* From a member back to the structure that holds it. Any thread. */
#ifndef LEVERET_BASE_CONTAINER_H
#define LEVERET_BASE_CONTAINER_H

#include <stddef.h>

/* The structure of the given type whose member `at` points to. The way over void says that the
 * alignment is known to be right. */
#define container_of(at, type, member) ((type *)(void *)((char *)(at) - offsetof(type, member)))

#endif
