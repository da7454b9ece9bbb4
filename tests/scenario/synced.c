/* What of each file is on the disk: a library for LD_PRELOAD that notes the length that a file has
 * when it is synced. The crash test cuts files back to that, as a loss of power may.
 *
 * One line for each sync that succeeded, appended to the file named by SYNCED_LOG: inode, length,
 * path. The length is taken before the sync begins: what is written meanwhile may not be covered.
 * The line is written before the caller learns of the sync, so that what it promises afterwards is
 * noted even when it is killed at once.
 *
 * While the file named by SYNCED_FAIL is there, every sync fails with EIO, as on a broken disk.
 * While that named by SYNCED_FAIL_READ is there, every read from a segment or paged file does. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int log_fd = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static int (*real_syncfs)(int);
static int (*real_sync_file_range)(int, off64_t, off64_t, unsigned);

static void *find(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol)
        abort();
    return symbol;
}

static void begin(void)
{
    const char *path = getenv("SYNCED_LOG");
    void *symbols[] = {find("fsync"), find("fdatasync"), find("syncfs"), find("sync_file_range"),
                       find("pread")};
    /* ISO C has no cast from an object's pointer to a function's. */
    memcpy(&real_fsync, &symbols[0], sizeof real_fsync);
    memcpy(&real_fdatasync, &symbols[1], sizeof real_fdatasync);
    memcpy(&real_syncfs, &symbols[2], sizeof real_syncfs);
    memcpy(&real_sync_file_range, &symbols[3], sizeof real_sync_file_range);
    memcpy(&real_pread, &symbols[4], sizeof real_pread);
    if (path)
        log_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void note(int fd, const struct stat *before)
{
    char link[64], path[4096], line[4200];
    if (log_fd < 0 || !S_ISREG(before->st_mode))
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < 0)
        return;
    path[len] = '\0';
    len = snprintf(line, sizeof line, "%ju %jd %s\n", (uintmax_t)before->st_ino,
                   (intmax_t)before->st_size, path);
    /* One write, so that lines of several threads do not mix. */
    if (write(log_fd, line, (size_t)len) != len)
        abort();
}

static bool must_fail(void)
{
    const char *flag = getenv("SYNCED_FAIL");
    return flag && access(flag, F_OK) == 0;
}

static bool must_fail_to_read(int fd)
{
    const char *flag = getenv("SYNCED_FAIL_READ");
    char link[64], path[4096];
    if (!flag || access(flag, F_OK) != 0)
        return false;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    path[len > 0 ? len : 0] = '\0';
    return strstr(path, "/segment-") || strstr(path, "/paged-");
}

static int noted(int fd, int (*sync_it)(int))
{
    struct stat before;
    if (must_fail()) {
        errno = EIO;
        return -1;
    }
    bool known = fstat(fd, &before) == 0;
    int result = sync_it(fd);
    if (result == 0 && known)
        note(fd, &before);
    return result;
}

int fsync(int fd)
{
    pthread_once(&once, begin);
    return noted(fd, real_fsync);
}

int fdatasync(int fd)
{
    pthread_once(&once, begin);
    return noted(fd, real_fdatasync);
}

ssize_t pread(int fd, void *at, size_t len, off_t offset)
{
    pthread_once(&once, begin);
    if (must_fail_to_read(fd)) {
        errno = EIO;
        return -1;
    }
    return real_pread(fd, at, len, offset);
}

/* These promise too little, or more than this library can note: a broker that comes to use them has
 * to say here what they mean for it. */
int sync_file_range(int fd, off64_t offset, off64_t bytes, unsigned flags)
{
    pthread_once(&once, begin);
    return real_sync_file_range(fd, offset, bytes, flags);
}

int syncfs(int fd)
{
    pthread_once(&once, begin);
    if (log_fd >= 0)
        abort();
    return real_syncfs(fd);
}
