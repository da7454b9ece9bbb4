/* The results that a function can return. Thread: any.
 *
 * One table of code, name and text. STATUS_OK is 0. Statuses that have an AMQP reply code are named
 * after it (AMQP 0-9-1 specification, section 1.2); only session/ translates them to the code. */
#ifndef LEVERET_BASE_STATUS_H
#define LEVERET_BASE_STATUS_H

#define STATUS_TABLE(X)                                                                            \
    X(OK, "success")                                                                               \
    X(AGAIN, "not now, try again")                                                                 \
    X(CLOSED, "closed")                                                                            \
    X(EXISTS, "exists already")                                                                    \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(NO_SPACE, "no space left on the disk")                                                       \
    X(IO, "input or output failed")                                                                \
    X(CORRUPT, "stored data is damaged")                                                           \
    X(LOCKED, "locked by another process")                                                         \
    X(VERSION, "format version not known")                                                         \
    X(MALFORMED, "malformed")                                                                      \
    X(LIMIT, "a limit is exceeded")                                                                \
    X(CONTENT_TOO_LARGE, "content too large")                                                      \
    X(NO_ROUTE, "no route")                                                                        \
    X(NO_CONSUMERS, "no consumers")                                                                \
    X(CONNECTION_FORCED, "connection forced")                                                      \
    X(INVALID_PATH, "invalid path")                                                                \
    X(ACCESS_REFUSED, "access refused")                                                            \
    X(NOT_FOUND, "not found")                                                                      \
    X(RESOURCE_LOCKED, "resource locked")                                                          \
    X(PRECONDITION_FAILED, "precondition failed")                                                  \
    X(FRAME_ERROR, "frame error")                                                                  \
    X(SYNTAX_ERROR, "syntax error")                                                                \
    X(COMMAND_INVALID, "command invalid")                                                          \
    X(CHANNEL_ERROR, "channel error")                                                              \
    X(UNEXPECTED_FRAME, "unexpected frame")                                                        \
    X(RESOURCE_ERROR, "resource error")                                                            \
    X(NOT_ALLOWED, "not allowed")                                                                  \
    X(NOT_IMPLEMENTED, "not implemented")                                                          \
    X(INTERNAL_ERROR, "internal error")

#define STATUS_ENUM(name, text) STATUS_##name,
enum status { STATUS_TABLE(STATUS_ENUM) STATUS_COUNT };
#undef STATUS_ENUM

/* The name ("NOT_FOUND") and the text ("not found") of a status; static strings. */
const char *status_name(enum status status);
const char *status_text(enum status status);

#define MUST_USE __attribute__((warn_unused_result))

#endif
