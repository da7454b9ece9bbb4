/* The linker's --wrap: calls of mem_try come to __wrap_mem_try, and __real_mem_try is the true one.
 */
#include "scarce.h"

#include <stdatomic.h>
#include <stddef.h>

void *__real_mem_try(size_t bytes); /* NOLINT(bugprone-reserved-identifier) */
void *__wrap_mem_try(size_t bytes); /* NOLINT(bugprone-reserved-identifier) */
void *__real_mem_try_array(void *old, size_t count, size_t element_bytes);
void *__wrap_mem_try_array(void *old, size_t count, size_t element_bytes);

static atomic_uint left; /* until one fails; 0: none will */
static atomic_bool failed;

void scarce_begin(unsigned nth)
{
    atomic_store(&failed, false);
    atomic_store(&left, nth);
}

bool scarce_end(void)
{
    atomic_store(&left, 0);
    return atomic_load(&failed);
}

bool scarce_failed(void)
{
    return atomic_load(&failed);
}

static bool fails(void)
{
    unsigned before = atomic_load(&left);
    while (before && !atomic_compare_exchange_weak(&left, &before, before - 1)) {
    }
    if (before == 1)
        atomic_store(&failed, true);
    return before == 1;
}

void *__wrap_mem_try(size_t bytes)
{
    return fails() ? NULL : __real_mem_try(bytes);
}

void *__wrap_mem_try_array(void *old, size_t count, size_t element_bytes)
{
    return fails() ? NULL : __real_mem_try_array(old, count, element_bytes);
}
