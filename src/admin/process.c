/* /proc/self. What cannot be read stays 0. */
#include "process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void read_memory(struct process_figures *out)
{
    uint64_t size, resident;
    FILE *file = fopen("/proc/self/statm", "re");
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (!file)
        return;
    if (fscanf(file, "%" SCNu64 " %" SCNu64, &size, &resident) == 2) {
        out->virtual_bytes = size * page;
        out->resident_bytes = resident * page;
    }
    fclose(file);
}

static void read_descriptors(struct process_figures *out)
{
    struct rlimit limit;
    struct dirent *entry;
    char link[64];
    DIR *dir = opendir("/proc/self/fd");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->fds_max = limit.rlim_cur;
    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);
        out->fds++;
        out->sockets += n > 7 && memcmp(link, "socket:", 7) == 0;
    }
    closedir(dir);
}

static void read_threads(struct process_figures *out)
{
    char line[128];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Threads: %" SCNu64, &out->threads) == 1)
            break;
    if (file)
        fclose(file);
    file = fopen("/proc/sys/kernel/threads-max", "re");
    if (file && fscanf(file, "%" SCNu64, &out->threads_max) != 1)
        out->threads_max = 0;
    if (file)
        fclose(file);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

void process_figures(struct process_figures *out)
{
    struct rusage usage;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *out = (struct process_figures){.processors = processors > 0 ? (unsigned)processors : 1};
    read_memory(out);
    read_descriptors(out);
    read_threads(out);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        out->cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
