/* Runs worlds, one after the other: see sim.h. Of each of SEEDS seeds, or of SIM_SEED alone,
 * SIM_STEPS steps (a plain number). A failure prints the seed of its world, which SIM_WORLD=seed
 * runs alone; SIM_VERBOSE shows all that happens. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEPS 10000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STEPS 10000
#endif
#endif
#ifndef STEPS
#define STEPS 125000
#endif
#define WORLD_STEPS_MAX 2000
#define SEEDS           8u
#define FIRST_SEED      20261130u

struct sim sim;
struct sim_vhost *here;

unsigned pick(unsigned below)
{
    return (unsigned)(random_next(&sim.random) % below);
}

void sim_trail(const char *format, ...)
{
    va_list arguments;
    char *line = sim.trail[sim.trail_count++ % 64];
    int name = sim.vhost_count > 1 ? snprintf(line, sizeof sim.trail[0], "%s: ", here->name) : 0;
    va_start(arguments, format);
    vsnprintf(line + name, sizeof sim.trail[0] - (size_t)name, format, arguments);
    va_end(arguments);
    if (sim.verbose)
        fprintf(stderr, "%s\n", sim.trail[(sim.trail_count - 1) % 64]);
}

void sim_note(const char *format, ...)
{
    va_list arguments;
    if (!sim.verbose)
        return;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n");
}

void sim_fail(const char *format, ...)
{
    va_list arguments;
    for (unsigned v = 0; v < sim.vhost_count; v++)
        printf("%.*s", BYTES_PRINT(text_bytes(&sim.vhosts[v].world.shown)));
    for (unsigned long i = sim.trail_count > 60 ? sim.trail_count - 60 : 0; i < sim.trail_count;
         i++)
        printf("%s\n", sim.trail[i % 64]);
    va_start(arguments, format);
    printf("FAILED: ");
    vprintf(format, arguments);
    va_end(arguments);
    printf("\nagain: SIM_WORLD=%llu tests/sim/simulate\n", (unsigned long long)sim.seed);
    fflush(stdout);
    abort();
}

static void make_vhost(uint64_t seed, unsigned number)
{
    *here = (struct sim_vhost){.number = number};
    snprintf(here->name, sizeof here->name, "v%u", number);
    world_make(seed + number);
    struct harness *h = &here->h;
    h->name = here->name;
    h->random_seed = seed % 1000 + number * 1000000 + 1;
    h->account = sim.account;
    h->quiet = true;
    h->watch = on_event;
    h->watch_command = on_command;
    h->watch_context = here;
    h->between = between_portions;
    h->resident_bytes_max = here->world.heavy ? 1 << 20 : chance(40) ? 4000 + pick(20000) : 8 << 20;
    h->window_bytes = chance(50) ? 3000 + pick(20000) : 1 << 20;
    h->consumer_timeout_ms = chance(20) ? 2000 + pick(10000) : 0;
    h->dialect.delivery_count = here->world.all_returns ? COUNT_RETURNS : COUNT_FAILURES;
    h->notify_cancel = chance(80);
    h->dialect.consumer_timeout = chance(70) ? TIMEOUT_CANCELS : TIMEOUT_CLOSES;
    here->world.time_outs_cancel =
        h->notify_cancel && h->dialect.consumer_timeout == TIMEOUT_CANCELS;
    h->portion = chance(40) ? 1 + pick(chance(50) ? 10 : 100) : 0;
    here->world.time_outs |= h->consumer_timeout_ms != 0;
    harness_open(h);
    here->there = true;
    vhost_tune(h->vhost,
               &(struct vhost_tuning){.queues_max = UINT64_MAX, .tracing = here->world.tracing});
    open_all();
    world_declare();
    sync_all();
}

static void free_vhost(void)
{
    for (unsigned p = 0; p < PEERS; p++)
        for (unsigned c = 1; c <= CHANNELS; c++) {
            struct sim_channel *channel = &here->channels[p][c];
            free(channel->handles.at);
            free(channel->tx_handles.at);
            free(channel->published.at);
            free(channel->committed.at);
        }
    sim.pages_in += here->h.pages_in;
    sim.pages_out += here->h.pages_out;
    sim.pages_out_failed += here->h.pages_out_failed;
    free(here->messages);
    free(here->askers);
    free(here->txs);
    harness_close(&here->h);
    world_free();
}

static void step_somewhere(unsigned i)
{
    here = &sim.vhosts[pick(sim.vhost_count)];
    step();
    run_out();
    for (unsigned v = 0; v < sim.vhost_count && i % 16 == 0; v++) {
        here = &sim.vhosts[v];
        check_counts();
    }
}

static void run_world(uint64_t seed)
{
    sim.random.state = sim.seed = seed;
    sim.trail_count = 0;
    sim.worlds++;
    sim.disk_failing = sim.calm = false;
    sim.account = account_new(UINT64_MAX);
    sim.vhost_count = chance(60) ? 1 : 2 + pick(VHOSTS_MAX - 1);
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        here = &sim.vhosts[v];
        make_vhost(seed, v);
    }
    unsigned steps =
        (50 + pick(chance(50) ? 300 : WORLD_STEPS_MAX)) * (sim.vhost_count > 1 ? 2 : 1);
    sim.steps_max = sim.steps + steps;
    for (unsigned i = 0; sim.steps < sim.steps_max; i++)
        step_somewhere(i);
    sim.calm = true;
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        here = &sim.vhosts[v];
        if (!here->there)
            vhost_make();
        drain();
        check_nothing_left();
    }
    for (unsigned v = 0; v < sim.vhost_count; v++) {
        here = &sim.vhosts[v];
        free_vhost();
    }
    if (account_total_bytes(sim.account))
        sim_fail("%llu bytes are counted, and all is freed",
                 (unsigned long long)account_total_bytes(sim.account));
    account_free(&sim.account);
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void print_figures(uint64_t seed, double seconds)
{
    printf("seed %llu: %lu steps in %lu worlds, %lu deliveries, %lu direct replies, "
           "%lu take-overs, %lu consumers timed out, %lu crashes, "
           "%lu disk failures, %lu pages in, %lu out, %lu that failed, %lu vhosts deleted, %lu "
           "stops between portions, %lu steps and %lu crashes there; ",
           (unsigned long long)seed, sim.steps, sim.worlds, sim.deliveries, sim.answers,
           sim.take_overs, sim.timed_out, sim.crashes, sim.failures, sim.pages_in, sim.pages_out,
           sim.pages_out_failed, sim.vhosts_deleted, sim.stops, sim.steps_between,
           sim.crashes_between);
    printf("checked: %lu exact counts, %lu quiet moments, %lu counts of returns over crashes, %lu "
           "of kinds, %lu times the highest priority, %lu messages of "
           "commits over crashes, %lu duplicates; %.1f s\n",
           sim.sure_checked, sim.quiet_checked, sim.counts_checked, sim.kinds_checked,
           sim.levels_checked, sim.hinged, sim.duplicates, seconds);
}

START_TEST(worlds)
{
    uint64_t seed = number_of("SIM_SEED", FIRST_SEED), steps = number_of("SIM_STEPS", STEPS);
    uint64_t world = number_of("SIM_WORLD", 0);
    struct random_stream seeds = {seed};
    clock_t begin = clock();
    sim.verbose = getenv("SIM_VERBOSE") != NULL;
    while (!world && sim.steps < steps)
        run_world(random_next(&seeds));
    if (world)
        run_world(world);
    print_figures(seed, (double)(clock() - begin) / CLOCKS_PER_SEC);
}
END_TEST

/* In this process, for as long as it takes: the harness speaks to Check. */
static int run(void)
{
    Suite *suite = suite_create("simulate");
    TCase *tests = tcase_create("simulate");
    tcase_add_test(tests, worlds);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

/* A process for each seed, so that one that fails does not keep the others from running. */
static bool runs_well(unsigned seed)
{
    char text[16];
    int status = 0;
    snprintf(text, sizeof text, "%u", seed);
    setenv("SIM_SEED", text, 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        exit(run());
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    unsigned failed = 0;
    if (getenv("SIM_SEED") || getenv("SIM_WORLD"))
        return run();
    bool well[SEEDS];
    for (unsigned i = 0; i < SEEDS; i++)
        failed += !(well[i] = runs_well(FIRST_SEED + i));
    for (unsigned i = 0; i < SEEDS; i++)
        if (!well[i])
            printf("failed: SIM_SEED=%u SIM_STEPS=%u tests/sim/simulate\n", FIRST_SEED + i,
                   (unsigned)number_of("SIM_STEPS", STEPS));
    return failed != 0;
}
