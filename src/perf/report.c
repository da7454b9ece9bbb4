/* Printing results. A rate is taken over the time in which its events happened: publishing ends
 * when the broker has taken the last message, not when the kernel has. */
#include "report.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const double quantiles[] = {0.5, 0.75, 0.95, 0.99, 0.999, 1.0};
static const char *const quantile_names[] = {"p50", "p75", "p95", "p99", "p999", "max"};
#define QUANTILE_COUNT (sizeof quantiles / sizeof quantiles[0])

static double per_s(uint64_t count, double seconds)
{
    return seconds > 0 ? (double)count / seconds : 0;
}

static double us(uint64_t ns)
{
    return (double)ns / 1e3;
}

static void print_latency(const char *name, const struct histogram_sum *sum)
{
    if (sum->total == 0)
        return;
    printf(", %s p50/p75/p95/p99 %.0f/%.0f/%.0f/%.0f µs", name, us(histogram_quantile(sum, 0.5)),
           us(histogram_quantile(sum, 0.75)), us(histogram_quantile(sum, 0.95)),
           us(histogram_quantile(sum, 0.99)));
}

void report_live(const struct report *report, double at_s, const struct figures_sum *before,
                 const struct figures_sum *after)
{
    static struct histogram_sum latency, confirm; /* used by main only; too large for the stack */
    double seconds = (double)(after->at_ns - before->at_ns) * 1e-9;
    const struct options *options = report->options;
    printf("%8.3f s", at_s);
    static const struct {
        enum figure figure;
        const char *name;
        bool always;
    } shown[] = {{FIGURE_SENT, "sent", true},         {FIGURE_CONFIRMED, "confirmed", false},
                 {FIGURE_NACKED, "nacked", false},    {FIGURE_RETURNED, "returned", false},
                 {FIGURE_RECEIVED, "received", true}, {FIGURE_REDELIVERED, "redelivered", false},
                 {FIGURE_BLOCKED, "blocked", false}};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        uint64_t n = after->counts[shown[i].figure] - before->counts[shown[i].figure];
        if (n || shown[i].always)
            printf(", %s %.0f/s", shown[i].name, per_s(n, seconds));
    }
    latency = after->latency;
    histogram_subtract(&latency, &before->latency);
    print_latency("latency", &latency);
    if (options->confirm || options->tx) {
        confirm = after->confirm_latency;
        histogram_subtract(&confirm, &before->confirm_latency);
        print_latency(options->tx ? "commits" : "confirms", &confirm);
    }
    printf("\n");
    fflush(stdout);
}

/* The figure that the load measures: messages received or, without consumers, sent. */
static uint64_t main_count(const struct report *report, double *seconds)
{
    const struct options *options = report->options;
    *seconds = options->consumers ? report->receive_seconds : report->publish_seconds;
    if (options->consumers)
        return report->figures->counts[FIGURE_RECEIVED];
    bool answered = options->confirm || options->tx;
    return report->figures->counts[answered ? FIGURE_CONFIRMED : FIGURE_SENT];
}

static double broker_cpu(const struct report *report)
{
    return report->broker_after.cpu_s - report->broker_before.cpu_s;
}

static void print_broker(const struct report *report, uint64_t count)
{
    if (!report->have_broker)
        return;
    double cpu_s = broker_cpu(report);
    printf("  broker: %.2f CPU s, %.0f a CPU second, memory %.1f MB, peak %.1f MB\n", cpu_s,
           per_s(count, cpu_s), (double)report->broker_after.rss_bytes / 1e6,
           (double)report->broker_after.peak_bytes / 1e6);
}

static json_t *latency_json(const struct histogram_sum *sum)
{
    json_t *object = json_object();
    json_object_set_new(object, "count", json_integer((json_int_t)sum->total));
    for (size_t i = 0; i < QUANTILE_COUNT; i++)
        json_object_set_new(object, quantile_names[i],
                            json_real(us(histogram_quantile(sum, quantiles[i]))));
    return object;
}

static json_t *memory_json(const struct process_cost *cost)
{
    return json_pack("{s:I,s:I,s:I}", "rss_bytes", (json_int_t)cost->rss_bytes, "anon_bytes",
                     (json_int_t)cost->anon_bytes, "peak_bytes", (json_int_t)cost->peak_bytes);
}

static json_t *common_json(const struct report *report, uint64_t count)
{
    json_t *object = json_pack("{s:s,s:f,s:f}", "id", report->options->id, "seconds",
                               report->seconds, "load_cpu_s", report->load_cpu_s);
    if (report->have_broker) {
        double cpu_s = broker_cpu(report);
        json_object_set_new(object, "broker",
                            json_pack("{s:f,s:f,s:o,s:o}", "cpu_s", cpu_s, "per_cpu_s",
                                      per_s(count, cpu_s), "before",
                                      memory_json(&report->broker_before), "after",
                                      memory_json(&report->broker_after)));
    }
    return object;
}

/* Writes object and frees it. */
static enum status write_json(const struct report *report, json_t *object)
{
    const char *path = report->options->json;
    bool to_stdout = strcmp(path, "-") == 0;
    FILE *file = to_stdout ? stdout : fopen(path, "we");
    bool ok = file && json_dumpf(object, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
              fputc('\n', file) != EOF;
    if (file && (to_stdout ? fflush(file) : fclose(file)) != 0)
        ok = false;
    json_decref(object);
    if (!ok)
        fprintf(stderr, "leveret-perf: cannot write %s\n", path);
    return ok ? STATUS_OK : STATUS_IO;
}

static json_t *load_json(const struct report *report)
{
    static const char *const names[FIGURE_COUNT] = {"sent",     "confirmed",   "nacked", "returned",
                                                    "received", "redelivered", "blocked"};
    const struct figures_sum *figures = report->figures;
    double seconds;
    uint64_t count = main_count(report, &seconds);
    json_t *object = common_json(report, count);
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        json_object_set_new(object, names[i], json_integer((json_int_t)figures->counts[i]));
    json_object_set_new(object, "rate", json_real(per_s(count, seconds)));
    json_object_set_new(object, "sent_per_s",
                        json_real(per_s(figures->counts[FIGURE_SENT], report->publish_seconds)));
    json_object_set_new(
        object, "confirmed_per_s",
        json_real(per_s(figures->counts[FIGURE_CONFIRMED], report->publish_seconds)));
    json_object_set_new(
        object, "received_per_s",
        json_real(per_s(figures->counts[FIGURE_RECEIVED], report->receive_seconds)));
    json_object_set_new(object, "latency_us", latency_json(&figures->latency));
    json_object_set_new(object, "confirm_latency_us", latency_json(&figures->confirm_latency));
    return object;
}

enum status report_load(const struct report *report)
{
    const struct options *options = report->options;
    const struct figures_sum *figures = report->figures;
    if (options->json) {
        enum status status = write_json(report, load_json(report));
        if (status || strcmp(options->json, "-") == 0)
            return status;
    }
    printf("%s: %.3f s", options->id, report->seconds);
    if (options->producers)
        printf(", sent %.0f/s", per_s(figures->counts[FIGURE_SENT], report->publish_seconds));
    if (options->confirm || options->tx)
        printf(", %s %.0f/s", options->tx ? "committed" : "confirmed",
               per_s(figures->counts[FIGURE_CONFIRMED], report->publish_seconds));
    if (options->consumers)
        printf(", received %.0f/s",
               per_s(figures->counts[FIGURE_RECEIVED], report->receive_seconds));
    print_latency("latency", &figures->latency);
    print_latency(options->tx ? "commits" : "confirms", &figures->confirm_latency);
    printf("\n");
    static const struct {
        enum figure figure;
        const char *name;
    } odd[] = {{FIGURE_NACKED, "nacked"},
               {FIGURE_RETURNED, "returned"},
               {FIGURE_REDELIVERED, "redelivered"},
               {FIGURE_BLOCKED, "times blocked"}};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
        if (figures->counts[odd[i].figure])
            printf("  %s: %llu\n", odd[i].name, (unsigned long long)figures->counts[odd[i].figure]);
    double seconds;
    print_broker(report, main_count(report, &seconds));
    return ferror(stdout) ? STATUS_IO : STATUS_OK;
}

enum status report_rounds(const struct report *report, const struct report_rounds *rounds)
{
    const struct options *options = report->options;
    double rate = per_s(rounds->count, report->seconds);
    if (options->json) {
        json_t *object = common_json(report, rounds->count);
        json_object_set_new(object, "what", json_string(rounds->what));
        json_object_set_new(object, "count", json_integer((json_int_t)rounds->count));
        json_object_set_new(object, "rate", json_real(rate));
        if (rounds->latency)
            json_object_set_new(object, "latency_us", latency_json(rounds->latency));
        enum status status = write_json(report, object);
        if (status || strcmp(options->json, "-") == 0)
            return status;
    }
    printf("%s: %llu %s in %.3f s, %.0f/s", options->id, (unsigned long long)rounds->count,
           rounds->what, report->seconds, rate);
    if (rounds->latency)
        print_latency("each", rounds->latency);
    printf("\n");
    print_broker(report, rounds->count);
    if (report->have_broker && options->mode == MODE_IDLE && rounds->count)
        printf("  memory for each: %.1f KB\n",
               ((double)report->broker_after.rss_bytes - (double)report->broker_before.rss_bytes) /
                   1e3 / (double)rounds->count);
    return ferror(stdout) ? STATUS_IO : STATUS_OK;
}
