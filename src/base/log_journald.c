/* Writing to systemd's journal: a datagram of lines NAME=value for each entry, as its protocol of
 * sockets says (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). What can go wrong: the journal takes
 * no more: the entry is lost. */
#include "log_journald.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* syslog's severities. */
static const int priorities[] = {
    [LOG_DEBUG] = 7, [LOG_INFO] = 6, [LOG_WARNING] = 4, [LOG_ERROR] = 3, [LOG_NONE] = 7};

int log_journald_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        return -1;
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

void log_journald_write(int fd, enum log_level level, const char *area, struct bytes text)
{
    char entry[4600];
    int len = snprintf(entry, sizeof entry,
                       "PRIORITY=%d\nSYSLOG_IDENTIFIER=leveretd\nLEVERET_AREA=%.64s\n"
                       "MESSAGE=%.64s: %.*s\n",
                       priorities[level], area, area, BYTES_PRINT(text));
    if (len > 0 && (size_t)len < sizeof entry)
        (void)send(fd, entry, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
}
