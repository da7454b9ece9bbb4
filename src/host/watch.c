/* What this process has taken of memory, and what is left of the disk. */
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "node_internal.h"

static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    unsigned long long size = 0, resident = 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void resources_read(const char *data_dir, struct resources *out)
{
    out->memory_bytes = resident_bytes();
    out->disk_free_bytes = UINT64_MAX;
    struct statvfs fs;
    if (data_dir && statvfs(data_dir, &fs) == 0)
        out->disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
}
