/* Makes and deletes the same object again and again, with -x clients at a time, each in a thread
 * that waits for every answer. Measures the rate of rounds and the time of one. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "histogram.h"
#include "leveret/base/clock.h"
#include "leveret/base/mem.h"
#include "report.h"
#include "rounds.h"

/* Bytes of a queue's name with its zero. */
#define NAME_MAX_BYTES 96u

struct churner {
    const struct options *options;
    unsigned index;
    uint64_t until_ns;
    struct client *client; /* NULL for CHURN_CONNECTION, where each round makes one */
    char queue[NAME_MAX_BYTES];
    uint64_t count;
    struct histogram latency;
    enum status status;
    char why[CLIENT_WHY_MAX];
    pthread_t thread;
};

static const char *exchange(const struct churner *churner)
{
    return churner->options->exchange ? churner->options->exchange : "amq.direct";
}

static enum status declare(struct churner *churner)
{
    struct method method = {.id = METHOD_QUEUE_DECLARE};
    method.u.queue_declare = (struct queue_declare){
        .queue = bytes_of_text(churner->queue),
        .durable = churner->options->durable,
        .arguments = text_bytes(&churner->options->queue_arguments),
    };
    return client_call(churner->client, 1, &method, METHOD_QUEUE_DECLARE_OK, NULL);
}

static enum status delete (struct churner *churner) {
    struct method method = {.id = METHOD_QUEUE_DELETE};
    method.u.queue_delete.queue = bytes_of_text(churner->queue);
    return client_call(churner->client, 1, &method, METHOD_QUEUE_DELETE_OK, NULL);
}

static enum status bind(struct churner *churner, bool undo)
{
    char key[NAME_MAX_BYTES + 24];
    snprintf(key, sizeof key, "%s.%llu", churner->queue, (unsigned long long)churner->count);
    struct method method = {.id = METHOD_QUEUE_BIND};
    method.u.queue_bind = (struct queue_bind){.queue = bytes_of_text(churner->queue),
                                              .exchange = bytes_of_text(exchange(churner)),
                                              .routing_key = bytes_of_text(key)};
    enum status status = client_call(churner->client, 1, &method, METHOD_QUEUE_BIND_OK, NULL);
    if (status || !undo)
        return status;
    method = (struct method){.id = METHOD_QUEUE_UNBIND};
    method.u.queue_unbind = (struct queue_unbind){.queue = bytes_of_text(churner->queue),
                                                  .exchange = bytes_of_text(exchange(churner)),
                                                  .routing_key = bytes_of_text(key)};
    return client_call(churner->client, 1, &method, METHOD_QUEUE_UNBIND_OK, NULL);
}

static enum status open_client(struct churner *churner)
{
    enum status status = client_open(&churner->options->target, &churner->client, churner->why);
    if (!status)
        status = client_open_channel(churner->client, 1);
    return status;
}

static enum status open_and_close(struct churner *churner)
{
    enum status status = open_client(churner);
    if (churner->client)
        snprintf(churner->why, sizeof churner->why, "%s", churner->client->why);
    client_close(&churner->client, !status);
    return status;
}

static enum status channel(struct churner *churner)
{
    enum status status = client_open_channel(churner->client, 2);
    struct method method = {.id = METHOD_CHANNEL_CLOSE};
    method.u.channel_close.reply_code = 200;
    return status ? status
                  : client_call(churner->client, 2, &method, METHOD_CHANNEL_CLOSE_OK, NULL);
}

static enum status queue(struct churner *churner)
{
    enum status status = declare(churner);
    return status ? status : delete (churner);
}

static enum status binding(struct churner *churner)
{
    return bind(churner, true);
}

static enum status bind_only(struct churner *churner)
{
    return bind(churner, false);
}

static const struct {
    const char *what;
    bool connected, with_queue; /* what must exist before the rounds */
    enum status (*round)(struct churner *churner);
} kinds[] = {
    [CHURN_CONNECTION] = {"connections opened and closed", false, false, open_and_close},
    [CHURN_CHANNEL] = {"channels opened and closed", true, false, channel},
    [CHURN_QUEUE] = {"queues declared and deleted", true, false, queue},
    [CHURN_BINDING] = {"bindings made and unmade", true, true, binding},
    [CHURN_BIND] = {"bindings made", true, true, bind_only},
};

static void *main_of_churner(void *argument)
{
    struct churner *churner = argument;
    while (!churner->status) {
        uint64_t begin_ns = clock_steady_ns();
        if (begin_ns >= churner->until_ns)
            break;
        churner->status = kinds[churner->options->churn].round(churner);
        if (churner->status)
            break;
        histogram_record(&churner->latency, clock_steady_ns() - begin_ns, 1);
        churner->count++;
    }
    return NULL;
}

static enum status prepare(struct churner *churner)
{
    enum status status = STATUS_OK;
    snprintf(churner->queue, sizeof churner->queue, "leveret-perf-%d-%u", (int)getpid(),
             churner->index);
    if (kinds[churner->options->churn].connected)
        status = open_client(churner);
    if (!status && kinds[churner->options->churn].with_queue)
        status = declare(churner);
    return status;
}

static enum status finish(struct churner *churner)
{
    enum status status = churner->status;
    if (status && !churner->why[0] && churner->client)
        snprintf(churner->why, sizeof churner->why, "%s", churner->client->why);
    if (status)
        fprintf(stderr, "leveret-perf: %s\n", churner->why);
    if (!status && kinds[churner->options->churn].with_queue)
        status = delete (churner);
    client_close(&churner->client, !status);
    return status;
}

int rounds_churn(const struct options *options)
{
    struct report report = {.options = options};
    struct report_rounds rounds = {.what = kinds[options->churn].what};
    struct histogram_sum *sum = mem_need(sizeof *sum);
    unsigned count = options->producers ? options->producers : 1;
    struct churner *churners = mem_need(count * sizeof *churners);
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < count; i++) {
        churners[i].options = options;
        churners[i].index = i;
        churners[i].status = prepare(&churners[i]);
    }
    if (options->broker_pid)
        report.have_broker = process_cost(options->broker_pid, &report.broker_before) == STATUS_OK;
    uint64_t start_ns = clock_steady_ns();
    for (unsigned i = 0; i < count; i++) {
        churners[i].until_ns = start_ns + (uint64_t)(options->seconds * 1e9);
        if (pthread_create(&churners[i].thread, NULL, main_of_churner, &churners[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(churners[i].thread, NULL);
        rounds.count += churners[i].count;
        histogram_add(sum, &churners[i].latency);
    }
    report.seconds = (double)(clock_steady_ns() - start_ns) * 1e-9;
    if (report.have_broker)
        report.have_broker = process_cost(options->broker_pid, &report.broker_after) == STATUS_OK;
    for (unsigned i = 0; i < count; i++) {
        enum status ended = finish(&churners[i]);
        status = status ? status : ended;
    }
    rounds.latency = sum;
    if (!status)
        status = report_rounds(&report, &rounds);
    free(churners);
    free(sum);
    return status ? EXIT_FAILURE : EXIT_SUCCESS;
}
