/* Cores, memory, open files. */
#include "machine.h"

#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "leveret/base/number.h"

/* Files that are no connections: databases, listeners, epoll, eventfds, log, the API's clients. */
#define FILES_RESERVED 256u
/* What the broker is meant for; below it the operator should hear of it. */
#define CONNECTIONS_WANTED 20000u
/* The hard limit that is asked for where it is lower and may be raised. */
#define FILES_WANTED 65536u

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

/* Whoever may raise the hard limit is asked for no configuration: what CAP_SYS_RESOURCE allows is
 * tried, and that it is refused is the normal case. */
static void raise_file_limit(struct rlimit *limit)
{
    const struct rlimit before = *limit;
    if (limit->rlim_max < FILES_WANTED) {
        *limit = (struct rlimit){FILES_WANTED, FILES_WANTED};
        if (setrlimit(RLIMIT_NOFILE, limit) == 0)
            return;
    }
    *limit = (struct rlimit){before.rlim_max, before.rlim_max};
    if (before.rlim_cur < before.rlim_max && setrlimit(RLIMIT_NOFILE, limit) != 0)
        *limit = before;
}

void machine_raise_file_limit(struct log *log)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    const struct rlimit before = limit;
    raise_file_limit(&limit);
    rlim_t fit = limit.rlim_cur > FILES_RESERVED ? limit.rlim_cur - FILES_RESERVED : 0;
    char raised[64] = "";
    if (limit.rlim_max > before.rlim_max)
        snprintf(raised, sizeof raised, " (the hard limit was %llu and has been raised)",
                 (unsigned long long)before.rlim_max);
    log_line(log, fit < CONNECTIONS_WANTED ? LOG_WARNING : LOG_INFO, "leveretd",
             "open files: at most %llu%s, so about %llu connections fit%s",
             (unsigned long long)limit.rlim_cur, raised, (unsigned long long)fit,
             fit < CONNECTIONS_WANTED ? "; raise the hard limit of open files (ulimit -Hn, or "
                                        "LimitNOFILE= in a systemd unit) for more"
                                      : "");
}
