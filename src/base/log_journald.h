/* Writing to systemd's journal, by its own protocol. Only for src/base. Thread: any. */
#ifndef LEVERET_BASE_LOG_JOURNALD_H
#define LEVERET_BASE_LOG_JOURNALD_H

#include "leveret/base/bytes.h"
#include "leveret/base/log.h"

#define LOG_JOURNALD_SOCKET "/run/systemd/journal/socket"

/* A socket that log_journald_write takes, or -1: there is no journal at this path. */
int log_journald_open(const char *path);
/* area and text must not contain line ends. */
void log_journald_write(int fd, enum log_level level, const char *area, struct bytes text);

#endif
