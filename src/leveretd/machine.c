/* Cores, memory, open files. */
#include "machine.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "leveret/base/number.h"

/* Used as the limit of open files when the kernel does not tell it. */
#define FILES_UNKNOWN 1024u
/* The hard limit of open files that is asked for when it is lower. */
#define FILES_WANTED 65536u

unsigned machine_share(unsigned cores, uint64_t quota, uint64_t period)
{
    if (!quota || !period)
        return cores;
    uint64_t share = quota / period + (quota % period != 0);
    return share < cores ? (unsigned)share : cores;
}

/* The cores that the control group in this folder leaves, of so many. */
static unsigned cores_of_group(const char *folder, unsigned cores)
{
    char path[600];
    uint64_t v2[2] = {0}, quota = 0, period = 0;
    snprintf(path, sizeof path, "%s/cpu.max", folder); /* "200000 100000", or "max 100000" */
    if (number_file(path, v2, 2) == 2)
        cores = machine_share(cores, v2[0], v2[1]);
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder); /* -1: no limit */
    bool limited = number_file(path, &quota, 1) == 1;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (limited && number_file(path, &period, 1) == 1)
        cores = machine_share(cores, quota, period);
    return cores;
}

/* The folder of this process's control group, below /sys/fs/cgroup; "" when it is not known. */
static void own_group(char *out, size_t room)
{
    char line[512];
    FILE *file = fopen("/proc/self/cgroup", "re");
    out[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) == 0)
            snprintf(out, room, "/sys/fs/cgroup/%s", line + 4);
    }
    if (file)
        fclose(file);
}

static unsigned all_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0)
        return (unsigned)CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

unsigned machine_cores(void)
{
    /* A container sees its group as the root; a service of systemd has a path of its own. */
    static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/cpu"};
    char own[600];
    unsigned cores = all_cores();
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        cores = cores_of_group(roots[i], cores);
    own_group(own, sizeof own);
    return *own ? cores_of_group(own, cores) : cores;
}

/* The limit in a control group's file, bytes; 0 when it has none or the file does not exist. */
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

/* Tries to raise the hard limit, so that it need not be configured where CAP_SYS_RESOURCE allows
 * it. Without that capability the kernel refuses, which is the normal case. */
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

uint64_t machine_raise_file_limit(uint64_t *raised_from)
{
    struct rlimit limit;
    *raised_from = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return FILES_UNKNOWN;
    const struct rlimit before = limit;
    raise_file_limit(&limit);
    if (limit.rlim_max > before.rlim_max)
        *raised_from = before.rlim_max;
    return limit.rlim_cur;
}

uint64_t machine_file_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : FILES_UNKNOWN;
}
