/* A load, from its beginning to its report.
 *
 * Normal course: declare → open the connections and share them out to the threads → start → all
 * consumers accepted → measure until the time is up or the counts are reached → publishers finish →
 * threads end → close, delete, report. What can go wrong: any connection that breaks ends the run
 * as a whole, with its reason on stderr; a broker that does not take the last messages within
 * SETTLE_MAX_S is reported as it stands. */
#include "run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "drive.h"
#include "leveret/base/check.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "report.h"
#include "topology.h"

/* Seconds that a load waits for the broker to take the last messages; then it is reported as it
 * is. */
#define SETTLE_MAX_S 30u
/* A load that counts messages, without -D, ends when none arrived for so long. */
#define IDLE_END_NS 500000000u
/* Bytes of input that all connections together have room for. */
#define INPUT_TOTAL (512u * 1024 * 1024)
#define INPUT_MIN   (16ul * 1024)

struct load {
    const struct options *options;
    struct run run;
    struct client *control;
    struct drive *drives;
    struct figures_sum baseline, previous, now; /* previous: the sum at the last live line */
    uint64_t start_ns, stop_ns;
    struct report report;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void run_fail(struct run *run, const char *why)
{
    pthread_mutex_lock(&run->lock);
    if (!atomic_exchange(&run->failed, true))
        snprintf(run->why, sizeof run->why, "%s", why);
    pthread_mutex_unlock(&run->lock);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void collect(struct load *load, struct figures_sum *sum)
{
    memset(sum, 0, sizeof *sum);
    for (unsigned i = 0; i < load->options->threads; i++) {
        struct figures *figures = load->drives[i].figures;
        for (unsigned k = 0; k < FIGURE_COUNT; k++)
            sum->counts[k] += atomic_load_explicit(&figures->counts[k], memory_order_relaxed);
        histogram_add(&sum->latency, &figures->latency);
        histogram_add(&sum->confirm_latency, &figures->confirm_latency);
    }
    sum->at_ns = clock_steady_ns();
}

static void subtract(struct figures_sum *sum, const struct figures_sum *earlier)
{
    for (unsigned k = 0; k < FIGURE_COUNT; k++)
        sum->counts[k] -= earlier->counts[k];
    histogram_subtract(&sum->latency, &earlier->latency);
    histogram_subtract(&sum->confirm_latency, &earlier->confirm_latency);
}

/* Selects confirms or transactions, if the options ask for them. */
static enum status select_mode(const struct options *options, struct client *client,
                               uint16_t channel, enum lane_kind kind)
{
    const struct method confirm = {.id = METHOD_CONFIRM_SELECT}, tx = {.id = METHOD_TX_SELECT};
    if (options->tx && (kind == LANE_PUBLISHER || !options->auto_ack))
        return client_call(client, channel, &tx, METHOD_TX_SELECT_OK, NULL);
    if (options->confirm && kind == LANE_PUBLISHER)
        return client_call(client, channel, &confirm, METHOD_CONFIRM_SELECT_OK, NULL);
    return STATUS_OK;
}

/* Opens a connection with its channels as the peer of a drive. first: index of its first lane. */
static enum status open_peer(struct load *load, struct drive *drive, enum lane_kind kind,
                             unsigned first, size_t in_room)
{
    const struct options *options = load->options;
    unsigned count =
        kind == LANE_PUBLISHER ? options->producer_channels : options->consumer_channels;
    struct peer *peer = &drive->peers[drive->peer_count];
    enum status status = client_open(&options->target, &peer->client, load->run.why);
    if (status)
        return status;
    *peer = (struct peer){.client = peer->client,
                          .run = &load->run,
                          .figures = drive->figures,
                          .lanes = mem_need(count * sizeof *peer->lanes)};
    drive->peer_count++;
    client_grow(peer->client, in_room);
    for (unsigned i = 0; i < count && !status; i++) {
        uint16_t channel = (uint16_t)(i + 1);
        status = client_open_channel(peer->client, channel);
        if (!status)
            status = select_mode(options, peer->client, channel, kind);
        peer->lanes[i] = (struct lane){.kind = kind,
                                       .channel = channel,
                                       .index = first + i,
                                       .run = &load->run,
                                       .figures = drive->figures};
        if (kind == LANE_PUBLISHER)
            publisher_init(&peer->lanes[i], peer->client->frame_max);
        else
            consumer_init(&peer->lanes[i]);
        peer->lane_count++;
    }
    if (status)
        memcpy(load->run.why, peer->client->why, sizeof load->run.why);
    return status;
}

static enum status open_all(struct load *load)
{
    const struct options *options = load->options;
    unsigned total = options->producers + options->consumers;
    CHECK(total > 0 && options->threads > 0);
    size_t in_room = INPUT_TOTAL / total;
    in_room = in_room > CLIENT_ROOM_LOAD ? CLIENT_ROOM_LOAD : in_room;
    in_room = in_room < INPUT_MIN ? INPUT_MIN : in_room;
    load->drives = mem_need(options->threads * sizeof *load->drives);
    for (unsigned i = 0; i < options->threads; i++) {
        load->drives[i].run = &load->run;
        load->drives[i].figures = mem_need(sizeof *load->drives[i].figures);
        load->drives[i].peers =
            mem_need((total / options->threads + 1) * sizeof *load->drives[i].peers);
    }
    enum status status = client_open(&options->target, &load->control, load->run.why);
    if (status)
        return status;
    status = client_open_channel(load->control, 1);
    if (!status)
        status = topology_make(options, load->control);
    if (status) {
        memcpy(load->run.why, load->control->why, sizeof load->run.why);
        return status;
    }
    for (unsigned i = 0; i < total && !status; i++) {
        bool publisher = i < options->producers;
        status = open_peer(load, &load->drives[i % options->threads],
                           publisher ? LANE_PUBLISHER : LANE_CONSUMER,
                           publisher ? i * options->producer_channels
                                     : (i - options->producers) * options->consumer_channels,
                           in_room);
    }
    return status;
}

static void broker_cost(struct load *load, struct process_cost *out)
{
    if (load->options->broker_pid)
        load->report.have_broker = process_cost(load->options->broker_pid, out) == STATUS_OK;
}

/* Whether the counts of the options are reached. */
static bool counted(struct load *load)
{
    const struct options *options = load->options;
    struct run *run = &load->run;
    bool published = atomic_load(&run->published) == run->publishers;
    bool consumed = atomic_load(&run->consumed) == run->consumers;
    if (run->consumers && options->cmessages)
        return consumed && (published || !options->pmessages);
    if (!options->pmessages || !published)
        return false;
    if (!run->consumers)
        return true;
    uint64_t last_ns = atomic_load(&run->received_ns), sent_ns = atomic_load(&run->published_ns);
    return clock_steady_ns() > (last_ns > sent_ns ? last_ns : sent_ns) + IDLE_END_NS;
}

static void live(struct load *load)
{
    const struct options *options = load->options;
    if (options->interval_s <= 0)
        return;
    double since = (double)(clock_steady_ns() - load->previous.at_ns) * 1e-9;
    if (since < options->interval_s)
        return;
    collect(load, &load->now);
    report_live(&load->report, (double)(load->now.at_ns - load->start_ns) * 1e-9, &load->previous,
                &load->now);
    load->previous = load->now;
}

/* Ends the warm-up: everything from here on is measured. */
static void begin_measuring(struct load *load)
{
    if (load->options->broker_pid)
        process_forget_peak(load->options->broker_pid);
    broker_cost(load, &load->report.broker_before);
    collect(load, &load->baseline);
    load->previous = load->baseline;
    load->start_ns = load->baseline.at_ns;
}

static void measure(struct load *load)
{
    const struct options *options = load->options;
    struct run *run = &load->run;
    if (!run->publishers)
        begin_measuring(load);
    for (unsigned i = 0; i < options->threads; i++)
        if (drive_start(&load->drives[i]))
            run_fail(run, "no thread to be had");
    while (run->publishers && !atomic_load(&run->failed) && !interrupted &&
           atomic_load(&run->consuming) < run->consumers)
        pause_ms(1);
    if (run->publishers)
        begin_measuring(load);
    atomic_store(&run->go, true);
    bool warm = options->warmup_s <= 0;
    while (!atomic_load(&run->failed) && !interrupted) {
        double left = options->seconds - (double)(clock_steady_ns() - load->start_ns) * 1e-9;
        if (!warm && options->seconds - left >= options->warmup_s) {
            begin_measuring(load);
            warm = true;
            continue;
        }
        if (warm && ((options->seconds > 0 && left <= 0) || counted(load)))
            break;
        live(load);
        pause_ms(left > 0 && left < 0.005 ? 1 : 5);
    }
    load->stop_ns = clock_steady_ns();
    collect(load, &load->now);
    broker_cost(load, &load->report.broker_after);
}

/* Lets the publishers finish and ends the threads. */
static void settle(struct load *load)
{
    struct run *run = &load->run;
    atomic_store(&run->phase, RUN_STOP);
    uint64_t until_ns = clock_steady_ns() + SETTLE_MAX_S * 1000000000ull;
    while (!atomic_load(&run->failed) && atomic_load(&run->published) < run->publishers &&
           clock_steady_ns() < until_ns)
        pause_ms(1);
    if (atomic_load(&run->published) < run->publishers && !atomic_load(&run->failed))
        fprintf(stderr, "leveret-perf: the broker has not taken all messages after %u s\n",
                SETTLE_MAX_S);
    atomic_store(&run->phase, RUN_OVER);
    for (unsigned i = 0; i < load->options->threads; i++) {
        drive_join(&load->drives[i]);
        load->report.load_cpu_s += load->drives[i].cpu_s;
    }
}

static enum status report(struct load *load)
{
    struct report *report = &load->report;
    struct run *run = &load->run;
    uint64_t published_ns = atomic_load(&run->published_ns);
    uint64_t received_ns = atomic_load(&run->received_ns);
    bool by_time = load->options->seconds > 0 && !counted(load);
    if (!published_ns)
        published_ns = load->stop_ns;
    if (by_time || !received_ns)
        received_ns = load->stop_ns;
    report->seconds = (double)(load->stop_ns - load->start_ns) * 1e-9;
    report->publish_seconds = (double)(published_ns - load->start_ns) * 1e-9;
    report->receive_seconds = (double)(received_ns - load->start_ns) * 1e-9;
    /* The figures of publishing belong to the time at which the last message was sent
     * or confirmed. */
    struct figures_sum *last = &load->previous;
    collect(load, last);
    load->now.counts[FIGURE_SENT] = last->counts[FIGURE_SENT];
    load->now.counts[FIGURE_CONFIRMED] = last->counts[FIGURE_CONFIRMED];
    load->now.counts[FIGURE_NACKED] = last->counts[FIGURE_NACKED];
    load->now.counts[FIGURE_RETURNED] = last->counts[FIGURE_RETURNED];
    load->now.confirm_latency = last->confirm_latency;
    subtract(&load->now, &load->baseline);
    report->figures = &load->now;
    return report_load(report);
}

static void clean_up(struct load *load)
{
    for (unsigned i = 0; load->drives && i < load->options->threads; i++) {
        struct drive *drive = &load->drives[i];
        for (unsigned k = 0; k < drive->peer_count; k++) {
            struct peer *peer = &drive->peers[k];
            bool whole = !peer->writing && !peer->skip && !peer->closed;
            client_close(&peer->client, whole && !atomic_load(&load->run.failed));
            for (unsigned l = 0; l < peer->lane_count; l++)
                lane_clear(&peer->lanes[l]);
            free(peer->lanes);
        }
        free(drive->peers);
        free(drive->figures);
    }
    free(load->drives);
    if (load->control) {
        if (topology_unmake(load->options, load->control))
            fprintf(stderr, "leveret-perf: cannot clean up: %s\n", load->control->why);
        client_close(&load->control, true);
    }
    free(load);
}

int run_load(const struct options *options)
{
    struct load *load = mem_need(sizeof *load);
    load->options = load->report.options = options;
    load->run.options = options;
    load->run.publishers = options->producers * options->producer_channels;
    load->run.consumers = options->consumers * options->consumer_channels;
    pthread_mutex_init(&load->run.lock, NULL);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);

    bool ok = open_all(load) == STATUS_OK;
    if (ok) {
        measure(load);
        settle(load);
        ok = !atomic_load(&load->run.failed) && report(load) == STATUS_OK;
    }
    if (!ok && load->run.why[0])
        fprintf(stderr, "leveret-perf: %s\n", load->run.why);
    clean_up(load);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
