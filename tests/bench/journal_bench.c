/* How fast the journal is: append → committed → (settle), with the CPU that it takes on the owner's
 * thread and in all. Usage: journal_bench DIRECTORY [messages [body_bytes [window [mode]]]];
 * mode: fill (append all), churn (settle each batch once committed), drain (fill, restart, page in
 * and settle all). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "leveret/journal/journal_leveldb.h"

struct bench {
    struct journal *journal;
    struct journal_lane *lane;
    struct journal_threads *threads;
    const char *path;
    int wake_fd;
    uint64_t committed_batch;
    uint64_t appended, committed, settled;
    uint64_t batch_end[1024]; /* the last seq of a batch, by its number */
    bool settles;
    uint64_t chunks[100000];
    uint64_t chunk_count, pages_asked, pages_got, messages_got;
};

static uint64_t cpu_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wake(void *context)
{
    uint64_t one = 1;
    if (write(((struct bench *)context)->wake_fd, &one, sizeof one) < 0)
        abort();
}

static void wait_for_wake(struct bench *b)
{
    uint64_t count;
    if (read(b->wake_fd, &count, sizeof count) < 0)
        abort();
}

static void on_committed(void *context, uint64_t batch)
{
    struct bench *b = context;
    b->committed = b->batch_end[batch % 1024];
    b->committed_batch = batch;
    while (b->settles && b->settled < b->committed)
        journal_settle(b->journal, b->lane, ++b->settled);
}

static void on_paged_in(void *context, struct journal_page *page)
{
    struct bench *b = context;
    b->pages_got++;
    b->messages_got += page->count;
    for (size_t i = 0; i < page->count; i++) {
        journal_settle(b->journal, b->lane, page->entries[i].seq);
        message_unref(&page->entries[i].message);
    }
}

static void on_paged_out(void *context, struct journal_lane *lane, uint64_t chunk,
                         enum status status)
{
    (void)context;
    (void)lane;
    (void)chunk;
    (void)status;
}

static void on_health(void *context, enum status status, const char *text)
{
    (void)context;
    fprintf(stderr, "health: %s: %s\n", status_name(status), text);
}

static void on_definition(void *context, struct bytes key, struct bytes value)
{
    (void)context;
    (void)key;
    (void)value;
}

static void *on_lane(void *context, uint64_t lane_id, struct journal_lane *lane, uint64_t delivered)
{
    (void)lane_id;
    (void)delivered;
    ((struct bench *)context)->lane = lane;
    return context;
}

static void on_chunk(void *context, uint64_t chunk, const uint64_t live[JOURNAL_CHUNK_WORDS],
                     uint64_t body_bytes, bool any_expires)
{
    (void)live;
    (void)body_bytes;
    (void)any_expires;
    struct bench *b = context;
    b->chunks[b->chunk_count++] = chunk;
}

static void open_journal(struct bench *b)
{
    const struct journal_leveldb_options options = {
        .path = b->path, .threads = b->threads, .wake = wake, .wake_context = b};
    const struct journal_callbacks callbacks = {b,         on_committed, on_paged_in, on_paged_out,
                                                on_health, NULL};
    const struct journal_recovery recovery = {b, on_definition, on_lane, on_chunk};
    b->journal = journal_leveldb_new(&options, &callbacks);
    char *error;
    uint64_t begin = clock_steady_ns();
    if (journal_recover(b->journal, &recovery, &error) != STATUS_OK) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    printf("recovery: %.1f ms, %llu chunks\n", (double)(clock_steady_ns() - begin) / 1e6,
           (unsigned long long)b->chunk_count);
    if (!b->lane)
        b->lane = journal_lane_new(b->journal, 1);
}

static void run(struct bench *b, uint64_t messages, size_t body_bytes, uint64_t window)
{
    uint8_t *body = mem_need(body_bytes + 1);
    uint64_t append_ns = 0, begin = clock_steady_ns();
    uint64_t cpu_here = cpu_ns(CLOCK_THREAD_CPUTIME_ID), cpu_all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    struct message *burst[256];
    while (b->committed < messages) {
        uint64_t turn = 0;
        while (b->appended < messages && b->appended - b->committed < window) {
            uint64_t count = window - (b->appended - b->committed);
            if (count > 256)
                count = 256;
            if (turn > window / 2) /* as if it came in pieces */
                break;
            if (count > window / 2 + 1 - turn)
                count = window / 2 + 1 - turn;
            turn += count;
            if (count > messages - b->appended)
                count = messages - b->appended;
            for (uint64_t i = 0; i < count; i++) {
                burst[i] = message_new(BYTES_LITERAL(""), BYTES_LITERAL("queue"),
                                       BYTES_LITERAL("\x10\x00\x02"), body_bytes);
                if (!burst[i] || message_fill(burst[i], NULL, body, body_bytes) != STATUS_OK)
                    abort();
                burst[i]->persistent = true;
            }
            uint64_t t = clock_steady_ns();
            for (uint64_t i = 0; i < count; i++)
                journal_append(b->journal, b->lane, ++b->appended, 0, burst[i]);
            append_ns += clock_steady_ns() - t;
            for (uint64_t i = 0; i < count; i++)
                message_unref(&burst[i]);
        }
        b->batch_end[journal_filling(b->journal) % 1024] = b->appended;
        journal_flush(b->journal);
        wait_for_wake(b);
        b->batch_end[journal_filling(b->journal) % 1024] = b->appended;
        journal_poll(b->journal);
    }
    double seconds = (double)(clock_steady_ns() - begin) / 1e9;
    struct journal_figures figures;
    journal_leveldb_figures(b->journal, &figures);
    printf("%llu messages of %zu bytes, window %llu: %.0f/s, %.1f MB/s; append %.1f ns; CPU ns a "
           "message: owner %.0f, all %.0f; %llu batches of %.0f, commit %.0f us\n",
           (unsigned long long)messages, body_bytes, (unsigned long long)window,
           (double)messages / seconds, (double)messages * (double)body_bytes / seconds / 1e6,
           (double)append_ns / (double)messages,
           (double)(cpu_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_here) / (double)messages,
           (double)(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_all) / (double)messages,
           (unsigned long long)figures.batches, (double)messages / (double)figures.batches,
           (double)figures.commit_us_sum / (double)figures.batches);
    free(body);
}

static void drain(struct bench *b)
{
    uint64_t begin = clock_steady_ns(), cpu_all = cpu_ns(CLOCK_PROCESS_CPUTIME_ID);
    while (b->pages_got < b->chunk_count) {
        while (b->pages_asked < b->chunk_count && b->pages_asked - b->pages_got < 8)
            journal_page_in(b->journal, b->lane, b->chunks[b->pages_asked++]);
        wait_for_wake(b);
        journal_poll(b->journal);
        journal_flush(b->journal);
    }
    double seconds = (double)(clock_steady_ns() - begin) / 1e9;
    printf("drained %llu messages: %.0f/s, CPU ns a message %.0f\n",
           (unsigned long long)b->messages_got, (double)b->messages_got / seconds,
           (double)(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_all) / (double)b->messages_got);
}

static void show_memory(const char *when)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS", 5) == 0 || strncmp(line, "RssAnon", 7) == 0 ||
            strncmp(line, "RssFile", 7) == 0)
            printf("%s: %s", when, line);
    if (file)
        fclose(file);
}

static void show_directory(const char *path, const char *when)
{
    char command[512];
    snprintf(command, sizeof command, "du -sk --apparent-size '%s' | cut -f1", path);
    printf("%s: directory KiB ", when);
    fflush(stdout);
    if (system(command) != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    if (argc < 2) {
        fprintf(stderr, "usage: journal_bench DIRECTORY [messages [body_bytes [window [mode]]]]\n");
        return 2;
    }
    uint64_t messages = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    size_t body_bytes = argc > 3 ? strtoull(argv[3], NULL, 10) : 128;
    uint64_t window = argc > 4 ? strtoull(argv[4], NULL, 10) : 10000;
    const char *mode = argc > 5 ? argv[5] : "fill";
    bench.path = argv[1];
    bench.wake_fd = eventfd(0, 0);
    bench.threads = journal_threads_new(2, NULL);
    bench.settles = strcmp(mode, "churn") == 0;
    open_journal(&bench);
    run(&bench, messages, body_bytes, window);
    show_memory("after filling");
    show_directory(bench.path, "after filling");
    if (strcmp(mode, "drain") == 0) {
        journal_free(&bench.journal);
        bench.lane = NULL;
        open_journal(&bench);
        show_memory("after recovery");
        drain(&bench);
        show_memory("after draining");
        show_directory(bench.path, "after draining");
        for (int i = 0; i < 10; i++) {
            usleep(1000000);
            journal_poll(bench.journal);
            journal_flush(bench.journal);
        }
        show_directory(bench.path, "10 s later");
    }
    journal_free(&bench.journal);
    journal_threads_free(&bench.threads);
    return 0;
}
