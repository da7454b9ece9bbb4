/* Runs a fuzz target without libFuzzer, so that it is part of every test run, with any compiler:
 * the corpus first, then mutations of it from a seed.
 *
 *     fuzz_x [FILE or DIRECTORY]...
 *
 * Without arguments the corpus is the folder tests/fuzz/inputs/x (made from tests/fuzz/corpus).
 * Settings in the environment: LEVERET_SEED, LEVERET_FUZZ_RUNS (a million unless set) or
 * LEVERET_FUZZ_SECONDS, which comes first.
 *
 * When an input kills the program, or takes longer than HANG_SECONDS, it is left as x.crash in the
 * working directory: give that file as the argument to see it again. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "leveret/base/random.h"

#define INPUT_BYTES_MAX 8192u
#define POOL_MAX        1024u
#define RUNS_DEFAULT    1000000u
#define SECONDS_DEFAULT 10u
#define RUNS_A_LOOK     256u /* at the clock */
#define HANG_SECONDS    30u
#define MUTATIONS_MAX   8u
#define KEEP_ONE_IN     32u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t *at;
    size_t len;
};

static struct {
    struct input pool[POOL_MAX]; /* the corpus, then mutations that take the place of one another */
    size_t count, corpus;
    struct random_stream random;
    char crash_file[256];
} fuzz;

/* What is being run, for the signal handler. */
static const uint8_t *volatile running;
static volatile size_t running_len;

static void leave_crash(int signal_number)
{
    int file = open(fuzz.crash_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (file >= 0 && running) {
        if (write(file, (const void *)running, running_len) < 0)
            _exit(2);
        close(file);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Makes AddressSanitizer end by a signal, so that the input is left. It asks for this name. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "abort_on_error=1";
}

static uint64_t below(uint64_t limit)
{
    return random_next(&fuzz.random) % limit;
}

/* From memory without slack, so that a sanitizer sees each byte read beyond the end. */
static void run(const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    if (len)
        memcpy(copy, at, len);
    running = copy;
    running_len = len;
    LLVMFuzzerTestOneInput(copy, len);
    running = NULL;
    free(copy);
}

static void keep(const uint8_t *at, size_t len, size_t slot)
{
    uint8_t *copy = malloc(len ? len : 1);

    if (!copy)
        abort();
    memcpy(copy, at, len);
    free(fuzz.pool[slot].at);
    fuzz.pool[slot] = (struct input){copy, len};
}

static void load_file(const char *path)
{
    uint8_t at[INPUT_BYTES_MAX];
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        exit(2);
    }
    size_t len = fread(at, 1, sizeof at, file);
    fclose(file);
    if (fuzz.count < POOL_MAX)
        keep(at, len, fuzz.count++);
}

static void load(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (!folder) {
        load_file(path);
        return;
    }
    while ((entry = readdir(folder))) {
        char inside[4096];
        struct stat about;
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (stat(inside, &about) == 0 && S_ISREG(about.st_mode))
            load_file(inside);
    }
    closedir(folder);
}

static size_t insert(uint8_t *at, size_t len, size_t where, const uint8_t *what, size_t what_len)
{
    if (what_len > INPUT_BYTES_MAX - len)
        return len;
    memmove(at + where + what_len, at + where, len - where);
    memcpy(at + where, what, what_len);
    return len + what_len;
}

/* A number of 1 to 8 bytes that codecs stumble over, or one near the input's own length. */
static void put_number(uint8_t *at, size_t len, size_t where)
{
    static const uint64_t edges[] = {0,          1,          0x7f,       0x80,
                                     0xff,       0x7fff,     0xffff,     0x7fffffff,
                                     0x80000000, 0xffffffff, 0xfffffffb, UINT64_MAX};
    uint64_t value = below(2) ? edges[below(sizeof edges / sizeof *edges)] : len - below(len);

    for (size_t bytes = (size_t)1 << below(4); bytes-- > 0 && where < len; where++)
        at[where] = (uint8_t)(value >> 8 * bytes);
}

static size_t mutate_once(uint8_t *at, size_t len)
{
    static const uint8_t telling[] = {0xCE, 'F', 'A', 'S', 't', 1, 2, 3, 8, 0xff, 0};
    const struct input *other = &fuzz.pool[below(fuzz.count)];
    size_t where = (size_t)below(len + 1), some;
    uint8_t part[64];

    if (len == 0 || below(8) == 0) { /* a part of another input */
        size_t from = (size_t)below(other->len + 1);
        some = (size_t)below(other->len - from + 1);
        return insert(at, len, where, other->at + from, some);
    }
    if (where == len)
        where--;
    some = 1 + (size_t)below(len - where < sizeof part ? len - where : sizeof part);
    switch (below(7)) {
    case 0:
        at[where] ^= (uint8_t)(1u << below(8));
        return len;
    case 1:
        at[where] = (uint8_t)random_next(&fuzz.random);
        return len;
    case 2:
        at[where] = telling[below(sizeof telling)];
        return len;
    case 3:
        put_number(at, len, where);
        return len;
    case 4: /* a part left out */
        if (some > len - where)
            some = len - where;
        memmove(at + where, at + where + some, len - where - some);
        return len - some;
    case 5: /* a part twice */
        if (some > len - where)
            some = len - where;
        if (some > sizeof part)
            some = sizeof part;
        memcpy(part, at + where, some);
        return insert(at, len, where, part, some);
    default: /* cut short */
        return where;
    }
}

static void run_mutation(void)
{
    uint8_t at[INPUT_BYTES_MAX];
    const struct input *from = &fuzz.pool[below(fuzz.count)];
    size_t len = from->len;

    memcpy(at, from->at, len);
    for (uint64_t n = 1 + below(MUTATIONS_MAX); n > 0; n--)
        len = mutate_once(at, len);
    run(at, len);
    if (below(KEEP_ONE_IN) == 0) {
        if (fuzz.count < POOL_MAX)
            keep(at, len, fuzz.count++);
        else if (fuzz.corpus < POOL_MAX)
            keep(at, len, fuzz.corpus + (size_t)below(POOL_MAX - fuzz.corpus));
    }
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *given = getenv(name);

    return given && *given ? strtoull(given, NULL, 0) : otherwise;
}

static void run_mutations(uint64_t *runs)
{
    uint64_t seconds = setting("LEVERET_FUZZ_SECONDS", 0), limit = UINT64_MAX;

    if (!seconds) {
        limit = setting("LEVERET_FUZZ_RUNS", 0);
        seconds = limit ? UINT32_MAX : SECONDS_DEFAULT;
        limit = limit ? limit : RUNS_DEFAULT;
    }
    time_t end = time(NULL) + (time_t)seconds;
    for (*runs = 0; *runs < limit; ++*runs) {
        if (*runs % RUNS_A_LOOK == 0) {
            alarm(HANG_SECONDS);
            if (time(NULL) >= end)
                break;
        }
        run_mutation();
    }
    alarm(0);
}

int main(int argc, char **argv)
{
    static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
    const char *slash = strrchr(argv[0], '/');
    const char *program = slash ? slash + 1 : argv[0];
    const char *name = strncmp(program, "fuzz_", 5) == 0 ? program + 5 : program;
    uint64_t fresh, runs = 0;

    random_bytes(&fresh, sizeof fresh);
    fuzz.random.state = setting("LEVERET_SEED", fresh);
    printf("%s: LEVERET_SEED=%" PRIu64 "\n", program, fuzz.random.state);
    snprintf(fuzz.crash_file, sizeof fuzz.crash_file, "%s.crash", name);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        signal(fatal[i], leave_crash);
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    if (argc == 1) {
        char folder[512];
        snprintf(folder, sizeof folder, "tests/fuzz/inputs/%s", name);
        load(folder);
    }
    fuzz.corpus = fuzz.count;
    alarm(HANG_SECONDS);
    for (size_t i = 0; i < fuzz.corpus; i++)
        run(fuzz.pool[i].at, fuzz.pool[i].len);
    if (fuzz.count > 0)
        run_mutations(&runs);
    printf("%s: %zu inputs and %" PRIu64 " mutations\n", program, fuzz.corpus, runs);
    for (size_t i = 0; i < fuzz.count; i++)
        free(fuzz.pool[i].at);
    return EXIT_SUCCESS;
}
