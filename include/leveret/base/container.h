/* Finds the structure that a member lies in. Thread: any. */
#ifndef LEVERET_BASE_CONTAINER_H
#define LEVERET_BASE_CONTAINER_H

#include <stddef.h>

/* The structure of the given type whose member `at` points to. The cast to void * tells the
 * compiler that the alignment is right. */
#define container_of(at, type, member) ((type *)(void *)((char *)(at)-offsetof(type, member)))

#endif
