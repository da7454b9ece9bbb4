/* Cores, memory, open files. */
#include "machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "leveret/base/number.h"

/* Files that are no connections: databases, listeners, epoll, eventfds, log, the API's clients. */
#define FILES_RESERVED 256u
/* What the broker is meant for; below it the operator should hear of it. */
#define CONNECTIONS_WANTED 20000u

unsigned machine_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

/* 0 when the group has no limit, or there is no such file. */
static uint64_t group_limit(const char *path)
{
    uint64_t bytes = 0;
    return number_file(path, &bytes, 1) == 1 ? bytes : 0;
}

uint64_t machine_memory_bytes(void)
{
    static const char *const limits[] = {"/sys/fs/cgroup/memory.max",
                                         "/sys/fs/cgroup/memory/memory.limit_in_bytes"};
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        uint64_t limit = group_limit(limits[i]);
        if (limit && limit < bytes)
            bytes = limit;
    }
    return bytes;
}

void machine_raise_file_limit(struct log *log)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        rlim_t before = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            limit.rlim_cur = before;
    }
    rlim_t fit = limit.rlim_cur > FILES_RESERVED ? limit.rlim_cur - FILES_RESERVED : 0;
    log_line(log, fit < CONNECTIONS_WANTED ? LOG_WARNING : LOG_INFO, "leveretd",
             "open files: at most %llu, so about %llu connections fit%s",
             (unsigned long long)limit.rlim_cur, (unsigned long long)fit,
             fit < CONNECTIONS_WANTED ? "; raise the hard limit of open files (ulimit -Hn, or "
                                        "LimitNOFILE= in a systemd unit) for more"
                                      : "");
}
