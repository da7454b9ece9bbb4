/* Reading /proc. Children are found by their parent's id in one pass over /proc, so that a broker
 * that a script has started (rabbitmq-server), or that has helpers, is counted as a whole. */
#include "process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "leveret/base/number.h"

#define TREE_MAX 256u /* most processes that are counted; further ones are left out */

/* Reads the number that stands `field` blanks behind `at` in a stat line. */
static bool stat_field(const char *at, unsigned field, uint64_t *out)
{
    while (field-- > 0 && at)
        if ((at = strchr(at, ' ')))
            at++;
    return at && number_scan(at, out) != NULL;
}

/* Reads parent and CPU time of a process from its stat line. */
static bool read_stat(pid_t pid, pid_t *parent, double *cpu_s)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool ok = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    /* The process's name may contain anything, but the last ')' of the line ends it. */
    const char *at = ok ? strrchr(line, ')') : NULL;
    uint64_t ppid, user, system;
    if (!at || !stat_field(at, 2, &ppid) || !stat_field(at, 12, &user) ||
        !stat_field(at, 13, &system))
        return false;
    *parent = (pid_t)ppid;
    *cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    return true;
}

static void add_memory(pid_t pid, struct process_cost *out)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    uint64_t kib;
    while (fgets(line, sizeof line, file)) {
        if (number_of_line(line, "VmHWM", &kib))
            out->peak_bytes += kib * 1024;
        else if (number_of_line(line, "VmRSS", &kib))
            out->rss_bytes += kib * 1024;
        else if (number_of_line(line, "RssAnon", &kib))
            out->anon_bytes += kib * 1024;
    }
    fclose(file);
}

/* Finds the process itself and its descendants; returns their number. */
static size_t tree(pid_t root, pid_t out[TREE_MAX])
{
    struct {
        pid_t pid, parent;
    } all[4096];
    size_t count = 0, found = 1;
    out[0] = root;
    DIR *proc = opendir("/proc");
    if (!proc)
        return found;
    double cpu_s;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        uint64_t pid;
        if (number_read(entry->d_name, INT32_MAX, &pid) && count < sizeof all / sizeof all[0] &&
            read_stat((pid_t)pid, &all[count].parent, &cpu_s))
            all[count++].pid = (pid_t)pid;
    }
    closedir(proc);
    for (size_t done = 0; done < found; done++)
        for (size_t i = 0; i < count && found < TREE_MAX; i++)
            if (all[i].parent == out[done])
                out[found++] = all[i].pid;
    return found;
}

enum status process_cost(pid_t pid, struct process_cost *out)
{
    *out = (struct process_cost){0};
    pid_t members[TREE_MAX], parent;
    double cpu_s;
    if (!read_stat(pid, &parent, &cpu_s))
        return STATUS_NOT_FOUND;
    size_t count = tree(pid, members);
    for (size_t i = 0; i < count; i++) {
        if (read_stat(members[i], &parent, &cpu_s))
            out->cpu_s += cpu_s;
        add_memory(members[i], out);
    }
    return STATUS_OK;
}

void process_forget_peak(pid_t pid)
{
    pid_t members[TREE_MAX];
    size_t count = tree(pid, members);
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/clear_refs", (int)members[i]);
        FILE *file = fopen(path, "we");
        if (!file)
            continue;
        fputs("5", file);
        fclose(file);
    }
}
