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
    uint64_t pages[3], page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    if (number_file("/proc/self/statm", pages, 3) == 3) {
        out->virtual_bytes = pages[0] * page_bytes;
        out->resident_bytes = pages[1] * page_bytes;
        out->file_bytes = pages[2] < pages[1] ? pages[2] * page_bytes : 0;
    }
}

/* Descriptors that one call of fd_count_go_on counts: about 0.3 ms. */
#define FDS_AT_ONCE 1000u

void fd_count_begin(struct fd_count *fds)
{
    fd_count_end(fds);
    fds->dir = opendir("/proc/self/fd");
    fds->count = 0;
}

bool fd_count_go_on(struct fd_count *fds)
{
    for (unsigned i = 0; fds->dir && i < FDS_AT_ONCE; i++) {
        const struct dirent *entry = readdir(fds->dir);
        if (!entry)
            return true;
        fds->count += entry->d_name[0] != '.';
    }
    return !fds->dir;
}

void fd_count_end(struct fd_count *fds)
{
    if (fds->dir)
        closedir(fds->dir);
    fds->dir = NULL;
}

static void read_descriptors(struct process_figures *out)
{
    struct rlimit limit;
    struct fd_count fds = {.dir = NULL};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        out->fds_max = limit.rlim_cur;
    fd_count_begin(&fds);
    while (!fd_count_go_on(&fds))
        continue;
    fd_count_end(&fds);
    out->fds = fds.count;
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

void process_memory_figures(struct process_figures *out)
{
    *out = (struct process_figures){.fds = 0};
    read_memory(out);
    read_threads(out);
}
