/* What the operating system says of this process, in /proc. */
#include "admin/metrics/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "leveret/base/number.h"

static void read_memory(struct process_figures *out)
{
    uint64_t pages[2], page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    if (number_file("/proc/self/statm", pages, 2) == 2) {
        out->virtual_bytes = pages[0] * page_bytes;
        out->resident_bytes = pages[1] * page_bytes;
    }
}

static void read_descriptors(struct process_figures *out)
{
    struct rlimit limit;
    struct dirent *entry;
    DIR *dir = opendir("/proc/self/fd");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->fds_max = limit.rlim_cur;
    if (!dir)
        return;
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        out->fds++;
    }
    closedir(dir);
}

static void read_threads(struct process_figures *out)
{
    char line[128];
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof line, file))
        if (number_of_line(line, "Threads", &out->threads))
            break;
    if (file)
        fclose(file);
    (void)number_file("/proc/sys/kernel/threads-max", &out->threads_max, 1);
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
