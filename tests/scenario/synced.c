/* A shim for LD_PRELOAD that notes what is safe: after each successful fsync or fdatasync a line "BYTES PATH" is appended
 * to the file that SYNCED_NOTES names: the file's length then. test_crash.py cuts every file back to its last note, as
 * a power cut might.
 *
 * The note is written with one write(2) to a file opened for appending, before the caller learns that the sync is done: what is
 * promised on its strength is noted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int notes_fd = -1;

__attribute__((constructor)) static void open_notes(void)
{
    const char *path = getenv("SYNCED_NOTES");
    if (path)
        notes_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void note(int fd, long long length)
{
    char link[64], path[PATH_MAX], line[PATH_MAX + 32];
    if (notes_fd < 0)
        return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len <= 0)
        return;
    path[len] = '\0';
    int n = snprintf(line, sizeof line, "%lld %s\n", length, path);
    if (write(notes_fd, line, (size_t)n) != n)
        abort(); /* a note that is missing would make the test lie */
}

/* What is appended while a sync is under way may not be safe: the length before it counts. */
static long long length_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (long long)st.st_size : -1;
}

static int synced(int fd, const char *call)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, call);
    long long length = length_of(fd);
    int result = real(fd);
    if (result == 0 && length >= 0)
        note(fd, length);
    return result;
}

int fsync(int fd)
{
    return synced(fd, "fsync");
}

int fdatasync(int fd)
{
    return synced(fd, "fdatasync");
}
