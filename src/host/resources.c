/* See resources.h. */
#include "resources.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include "leveret/base/number.h"

/* Pages of files are left out: LevelDB maps its tables, and the kernel takes those pages back when
 * it needs memory. */
static uint64_t resident_bytes(void)
{
    uint64_t pages[3]; /* virtual; resident; resident and of files */
    return number_file("/proc/self/statm", pages, 3) == 3 && pages[1] > pages[2]
               ? (pages[1] - pages[2]) * (uint64_t)sysconf(_SC_PAGESIZE)
               : 0;
}

void resources_read(const char *data_dir, struct resources *out)
{
    out->memory_bytes = resident_bytes();
    out->disk_free_bytes = UINT64_MAX;
    struct statvfs fs;
    if (data_dir && statvfs(data_dir, &fs) == 0)
        out->disk_free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
}
