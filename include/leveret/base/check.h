/* Assertions on the programmer, on in release builds too. Never on input. Any thread. */
#ifndef LEVERET_BASE_CHECK_H
#define LEVERET_BASE_CHECK_H

/* Prints what was wrong and where to stderr and aborts. */
void check_failed(const char *what, const char *file, int line) __attribute__((noreturn, cold));

#define CHECK(condition)                                                                           \
    (__builtin_expect(!!(condition), 1) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#endif
