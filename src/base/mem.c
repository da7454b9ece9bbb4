/* Allocation that may fail, and allocation that may not. */
#include "leveret/base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

void mem_give_up(size_t bytes)
{
    fprintf(stderr, "out of memory: %zu bytes are not to be had; giving up\n", bytes);
    abort();
}

void *mem_try(size_t bytes)
{
    return malloc(bytes ? bytes : 1);
}

void *mem_try_array(void *old, size_t count, size_t element_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, element_bytes, &bytes))
        return NULL;
    return realloc(old, bytes ? bytes : 1);
}

void *mem_need(size_t bytes)
{
    void *at = calloc(1, bytes ? bytes : 1);
    if (!at)
        mem_give_up(bytes);
    return at;
}

void *mem_need_array(void *old, size_t count, size_t element_bytes)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, element_bytes, &bytes))
        mem_give_up(SIZE_MAX);
    void *at = realloc(old, bytes ? bytes : 1);
    if (!at)
        mem_give_up(bytes);
    return at;
}

char *mem_need_text(const void *at, size_t len)
{
    char *copy = malloc(len + 1);
    if (!copy)
        mem_give_up(len + 1);
    if (len)
        memcpy(copy, at, len);
    copy[len] = '\0';
    return copy;
}
