/* Opens connections with one channel each that do nothing, and measures what opening and keeping
 * them costs. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "client.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "report.h"
#include "rounds.h"

int rounds_idle(const struct options *options)
{
    struct report report = {.options = options};
    struct client **clients = mem_need(options->idle * sizeof(struct client *));
    char why[CLIENT_WHY_MAX] = "";
    enum status status = STATUS_OK;
    if (options->broker_pid)
        report.have_broker = process_cost(options->broker_pid, &report.broker_before) == STATUS_OK;
    uint64_t start_ns = clock_steady_ns();
    unsigned opened = 0;
    while (opened < options->idle && !status) {
        status = client_open(&options->target, &clients[opened], why);
        if (status)
            break;
        status = client_open_channel(clients[opened], 1);
        if (status)
            snprintf(why, sizeof why, "%s", clients[opened]->why);
        opened++;
    }
    report.seconds = (double)(clock_steady_ns() - start_ns) * 1e-9;
    if (!status) {
        struct timespec hold = {
            .tv_sec = (time_t)options->seconds,
            .tv_nsec = (long)((options->seconds - (double)(time_t)options->seconds) * 1e9)};
        nanosleep(&hold, NULL);
        if (report.have_broker)
            status = process_cost(options->broker_pid, &report.broker_after);
        struct report_rounds rounds = {.what = "connections", .count = opened};
        if (!status)
            status = report_rounds(&report, &rounds);
    } else {
        fprintf(stderr, "leveret-perf: after %u connections: %s\n", opened, why);
    }
    for (unsigned i = 0; i < opened; i++)
        client_close(&clients[i], true);
    free(clients);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
