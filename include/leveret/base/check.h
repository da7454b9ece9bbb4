/* Assertions about the program itself, checked in release builds too. Input from a client or a file
 * is never asserted. Thread: any. */
#ifndef LEVERET_BASE_CHECK_H
#define LEVERET_BASE_CHECK_H

/* Prints the failed condition and its place to stderr, and aborts. */
void check_failed(const char *what, const char *file, int line) __attribute__((noreturn, cold));

#define CHECK(condition)                                                                           \
    (__builtin_expect(!!(condition), 1) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#endif
