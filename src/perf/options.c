/* The command line. Options that PerfTest has too have the same names. */
#include "options.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "leveret/wire/table.h"

enum option_key {
    KEY_THREADS = 256,
    KEY_QUEUES,
    KEY_QUEUE_ARGUMENTS,
    KEY_KEYS,
    KEY_BINDING,
    KEY_DURABLE,
    KEY_FANOUT,
    KEY_KEEP,
    KEY_NO_LATENCY,
    KEY_TX,
    KEY_WARMUP,
    KEY_JSON,
    KEY_BROKER_PID,
    KEY_ID,
    KEY_TLS,
    KEY_CACERT,
    KEY_CERT,
    KEY_CERT_KEY,
    KEY_INSECURE,
    KEY_IDLE,
    KEY_CHURN
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Broker:", 1},
    {"uri", 'h', "URI", 0, "amqp[s]://user:password@host:port/vhost (guest at localhost)", 0},
    {"tls", KEY_TLS, 0, 0, "By TLS, as amqps:// in the URI", 0},
    {"cacert", KEY_CACERT, "FILE", 0, "Trust the certificates of FILE (those of the system)", 0},
    {"cert", KEY_CERT, "FILE", 0, "Show this certificate to the broker", 0},
    {"key", KEY_CERT_KEY, "FILE", 0, "Its key, when it is not in the same file", 0},
    {"insecure", KEY_INSECURE, 0, 0, "Trust any certificate", 0},
    {"broker-pid", KEY_BROKER_PID, "PID", 0, "Measure CPU time and memory of this process too", 0},
    {0, 0, 0, 0, "Clients:", 2},
    {"producers", 'x', "N", 0, "Publishing connections (1); parallel clients of --churn", 0},
    {"consumers", 'y', "N", 0, "Consuming connections (1)", 0},
    {"producer-channel-count", 'X', "N", 0, "Channels on each publishing connection (1)", 0},
    {"consumer-channel-count", 'Y', "N", 0, "Channels on each consuming connection (1)", 0},
    {"threads", KEY_THREADS, "N", 0, "Threads that the connections are spread over (1)", 0},
    {0, 0, 0, 0, "Publishing:", 3},
    {"size", 's', "BYTES", 0, "Body size (16); k and M are understood", 0},
    {"rate", 'r', "N", 0, "Messages a second of each publisher (no limit)", 0},
    {"confirm", 'c', "WINDOW", 0, "Publisher confirms, at most WINDOW outstanding", 0},
    {"tx", KEY_TX, "N", 0, "Transactions: commit after N publishes, and after N acks", 0},
    {"pmessages", 'C', "N", 0, "Stop each publisher after N messages", 0},
    {"flag", 'f', "FLAG", 0, "persistent or mandatory; repeatable", 0},
    {"no-latency", KEY_NO_LATENCY, 0, 0, "No time stamps in the bodies", 0},
    {0, 0, 0, 0, "Consuming:", 4},
    {"autoack", 'a', 0, 0, "Consume without acknowledgements", 0},
    {"multi-ack-every", 'A', "N", 0, "One ack, multiple, for N deliveries (1)", 0},
    {"qos", 'q', "N", 0, "Prefetch limit (none)", 0},
    {"cmessages", 'D', "N", 0, "Stop each consumer after N messages", 0},
    {0, 0, 0, 0, "Exchanges and queues:", 5},
    {"exchange", 'e', "NAME", 0, "Publish to this exchange (the default exchange)", 0},
    {"type", 't', "TYPE", 0, "Its type (direct)", 0},
    {"routing-key", 'k', "KEY", 0, "Routing and binding key (the queue's name)", 0},
    {"binding-key", KEY_BINDING, "KEY", 0, "Bind with another key than the routing key", 0},
    {"keys", KEY_KEYS, "N", 0, "Publish with KEY0, KEY1 … KEY(N-1) in turn", 0},
    {"queue", 'u', "NAME", 0, "Queue name, or their prefix when there are several", 0},
    {"queues", KEY_QUEUES, "N", 0, "Queues, used in turn by publishers and consumers (1)", 0},
    {"queue-args", KEY_QUEUE_ARGUMENTS, "K=V,…", 0, "Queue arguments; digits make integers", 0},
    {"durable", KEY_DURABLE, 0, 0, "Durable queues (with -f persistent they are anyway)", 0},
    {"fanout", KEY_FANOUT, 0, 0, "A fanout exchange, and a queue for each consumer", 0},
    {"predeclared", 'p', 0, 0, "Declare and delete nothing", 0},
    {"keep", KEY_KEEP, 0, 0, "Leave queues and exchange behind", 0},
    {0, 0, 0, 0, "Other loads:", 6},
    {"idle", KEY_IDLE, "N", 0, "Open N connections with a channel each, hold them for --time", 0},
    {"churn", KEY_CHURN, "WHAT", 0,
     "connection, channel, queue, binding: made and unmade again and again; bind: made only", 0},
    {0, 0, 0, 0, "Measuring:", 7},
    {"time", 'z', "SECONDS", 0, "How long", 0},
    {"warmup", KEY_WARMUP, "SECONDS", 0, "Leave out the beginning", 0},
    {"interval", 'i', "SECONDS", 0, "Between live figures (1 on a terminal, none otherwise)", 0},
    {"json", KEY_JSON, "FILE", OPTION_ARG_OPTIONAL, "The result as JSON (standard output)", 0},
    {"id", KEY_ID, "NAME", 0, "The test's name in the output", 0},
    {0}};

/* Reads a number from low to high, with an optional k, M or G. */
static double number(struct argp_state *state, const char *text, double low, double high)
{
    char *end;
    double value = strtod(text, &end);
    if (*end == 'k' || *end == 'K')
        value *= 1e3, end++;
    else if (*end == 'M')
        value *= 1e6, end++;
    else if (*end == 'G')
        value *= 1e9, end++;
    if (end == text || *end || !(value >= low && value <= high))
        argp_error(state, "'%s' is not a number from %g to %g", text, low, high);
    return value;
}

static void add_queue_arguments(struct options *options, struct argp_state *state, char *list)
{
    char *rest = NULL;
    for (char *item = strtok_r(list, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(item, '=');
        if (!value || value == item || value - item > UINT8_MAX) {
            argp_error(state, "'%s' is not a name=value", item);
            return;
        }
        *value++ = 0;
        struct text *out = &options->queue_arguments;
        if (*value && strspn(value, "0123456789") == strlen(value))
            table_put_i64(out, item, strtoll(value, NULL, 10));
        else if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0)
            table_put_bool(out, item, *value == 't');
        else
            table_put_string(out, item, bytes_of_text(value));
    }
}

static void set_flag(struct options *options, struct argp_state *state, const char *flag)
{
    if (strcmp(flag, "persistent") == 0)
        options->persistent = true;
    else if (strcmp(flag, "mandatory") == 0)
        options->mandatory = true;
    else
        argp_error(state, "unknown flag '%s'", flag);
}

static void set_churn(struct options *options, struct argp_state *state, const char *what)
{
    static const char *const names[] = {
        [CHURN_CONNECTION] = "connection", [CHURN_CHANNEL] = "channel", [CHURN_QUEUE] = "queue",
        [CHURN_BINDING] = "binding",       [CHURN_BIND] = "bind",
    };
    options->mode = MODE_CHURN;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], what) == 0) {
            options->churn = (enum churn_what)i;
            return;
        }
    }
    argp_error(state, "no churn of '%s'", what);
}

/* Checks the options against each other and sets the defaults that depend on others. */
/* Makes what TLS needs; what has no effect without TLS is refused. */
static void finish_tls(struct options *options, struct argp_state *state)
{
    const struct secure_options *s = &options->secure;
    struct target *target = &options->target;
    char why[256];
    if (options->tls && !target->tls && strcmp(target->port, "5672") == 0)
        memcpy(target->port, "5671", sizeof "5671");
    if (!options->tls && !target->tls) {
        if (s->cacert || s->cert || s->key || s->insecure)
            argp_error(state, "--cacert, --cert, --key and --insecure need --tls or amqps://");
        return;
    }
    if (s->key && !s->cert)
        argp_error(state, "--key needs --cert");
    if (s->cacert && s->insecure)
        argp_error(state, "either --cacert or --insecure");
    target->secure = secure_new(s, why, sizeof why);
    if (!target->secure)
        argp_failure(state, EXIT_FAILURE, 0, "%s", why);
}

static void finish(struct options *options, struct argp_state *state)
{
    finish_tls(options, state);
    bool endless = options->seconds == 0;
    if (options->mode != MODE_LOAD && endless)
        options->seconds = 3;
    if (options->mode == MODE_LOAD && endless && !options->pmessages && !options->cmessages)
        options->seconds = 10;
    if (options->mode == MODE_LOAD && options->producers + options->consumers == 0)
        argp_error(state, "neither publishers nor consumers");
    if (options->prefetch && !options->auto_ack && options->ack_every > options->prefetch)
        argp_error(state, "an ack every %u never comes with a prefetch of %u", options->ack_every,
                   options->prefetch);
    if (options->tx && options->confirm)
        argp_error(state, "a channel has either transactions or confirms");
    if (options->tx && options->prefetch && !options->auto_ack &&
        (uint64_t)options->tx * options->ack_every > options->prefetch)
        argp_error(state, "%u acks of %u deliveries never come with a prefetch of %u", options->tx,
                   options->ack_every, options->prefetch);
    if (options->size_bytes < sizeof(uint64_t))
        options->stamped = false;
    if (options->persistent)
        options->durable = true;
    if (strcmp(options->type, "fanout") == 0) {
        unsigned lanes = options->consumers * options->consumer_channels;
        options->exchange = options->exchange ? options->exchange : "leveret-perf-fanout";
        if (options->queues == 1 && lanes > 1)
            options->queues = lanes;
    }
}

/* Options that only set one field. */
enum field_kind { SET_TRUE, SET_COUNT, SET_LONG_COUNT, SET_REAL, SET_TEXT };

static const struct {
    int key;
    enum field_kind kind;
    size_t at;
    double low, high;
} fields[] = {
#define FIELD(key, kind, field, low, high)                                                         \
    {                                                                                              \
        key, kind, offsetof(struct options, field), low, high                                      \
    }
    FIELD('x', SET_COUNT, producers, 0, OPTIONS_CLIENTS_MAX),
    FIELD('y', SET_COUNT, consumers, 0, OPTIONS_CLIENTS_MAX),
    FIELD('X', SET_COUNT, producer_channels, 1, OPTIONS_CHANNELS_MAX),
    FIELD('Y', SET_COUNT, consumer_channels, 1, OPTIONS_CHANNELS_MAX),
    FIELD(KEY_THREADS, SET_COUNT, threads, 1, OPTIONS_THREADS_MAX),
    FIELD('s', SET_COUNT, size_bytes, 0, OPTIONS_SIZE_MAX),
    FIELD('r', SET_REAL, rate, 0, 1e9),
    FIELD('c', SET_COUNT, confirm, 1, OPTIONS_WINDOW_MAX),
    FIELD(KEY_TX, SET_COUNT, tx, 1, OPTIONS_WINDOW_MAX),
    FIELD('C', SET_LONG_COUNT, pmessages, 1, 1e15),
    FIELD('D', SET_LONG_COUNT, cmessages, 1, 1e15),
    FIELD('a', SET_TRUE, auto_ack, 0, 0),
    FIELD('A', SET_COUNT, ack_every, 1, OPTIONS_WINDOW_MAX),
    FIELD('q', SET_COUNT, prefetch, 0, UINT16_MAX),
    FIELD('e', SET_TEXT, exchange, 0, 0),
    FIELD('t', SET_TEXT, type, 0, 0),
    FIELD('k', SET_TEXT, key, 0, 0),
    FIELD('u', SET_TEXT, queue, 0, 0),
    FIELD(KEY_BINDING, SET_TEXT, binding_key, 0, 0),
    FIELD('p', SET_TRUE, predeclared, 0, 0),
    FIELD(KEY_QUEUES, SET_COUNT, queues, 1, OPTIONS_NAMES_MAX),
    FIELD(KEY_KEYS, SET_COUNT, keys, 1, OPTIONS_NAMES_MAX),
    FIELD(KEY_DURABLE, SET_TRUE, durable, 0, 0),
    FIELD(KEY_KEEP, SET_TRUE, keep, 0, 0),
    FIELD(KEY_IDLE, SET_COUNT, idle, 1, OPTIONS_CLIENTS_MAX),
    FIELD('z', SET_REAL, seconds, 0.001, 1e9),
    FIELD(KEY_WARMUP, SET_REAL, warmup_s, 0, 1e6),
    FIELD('i', SET_REAL, interval_s, 0, 1e6),
    FIELD(KEY_ID, SET_TEXT, id, 0, 0),
#undef FIELD
};

/* Handles key if it is one of these options; returns whether it was. */
static bool set_field(struct options *options, struct argp_state *state, int key, const char *text)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].key != key)
            continue;
        void *at = (char *)options + fields[i].at;
        double low = fields[i].low, high = fields[i].high;
        switch (fields[i].kind) {
        case SET_TRUE:
            *(bool *)at = true;
            break;
        case SET_COUNT:
            *(unsigned *)at = (unsigned)number(state, text, low, high);
            break;
        case SET_LONG_COUNT:
            *(uint64_t *)at = (uint64_t)number(state, text, low, high);
            break;
        case SET_REAL:
            *(double *)at = number(state, text, low, high);
            break;
        case SET_TEXT:
            *(const char **)at = text;
            break;
        }
        return true;
    }
    return false;
}

static error_t take(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;
    bool known = set_field(options, state, key, text);
    switch (key) {
    case 'h':
        if (target_parse(text, &options->target))
            argp_error(state, "'%s' is not an AMQP URI", text);
        break;
    case 'f':
        set_flag(options, state, text);
        break;
    case KEY_QUEUE_ARGUMENTS:
        add_queue_arguments(options, state, text);
        break;
    case KEY_FANOUT:
        options->type = "fanout";
        break;
    case KEY_NO_LATENCY:
        options->stamped = false;
        break;
    case KEY_JSON:
        options->json = text ? text : "-";
        break;
    case KEY_BROKER_PID:
        options->broker_pid = (pid_t)number(state, text, 1, INT32_MAX);
        break;
    case KEY_TLS:
        options->tls = true;
        break;
    case KEY_CACERT:
        options->secure.cacert = text;
        break;
    case KEY_CERT:
        options->secure.cert = text;
        break;
    case KEY_CERT_KEY:
        options->secure.key = text;
        break;
    case KEY_INSECURE:
        options->secure.insecure = true;
        break;
    case KEY_IDLE:
        options->mode = MODE_IDLE;
        break;
    case KEY_CHURN:
        set_churn(options, state, text);
        break;
    case ARGP_KEY_END:
        finish(options, state);
        break;
    default:
        return known ? 0 : ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){
        .id = "leveret-perf",
        .producers = 1,
        .consumers = 1,
        .producer_channels = 1,
        .consumer_channels = 1,
        .threads = 1,
        .size_bytes = 16,
        .stamped = true,
        .ack_every = 1,
        .type = "direct",
        .queues = 1,
        .keys = 1,
        .interval_s = isatty(STDOUT_FILENO) ? 1 : 0,
    };
    static char default_uri[] = "amqp://";
    if (target_parse(default_uri, &options->target))
        exit(EXIT_FAILURE);
    argp_program_version = PACKAGE_STRING;
    static const struct argp argp = {
        .options = table,
        .parser = take,
        .doc = "Puts a load on an AMQP 0-9-1 broker and measures what it carries.\v"
               "With neither a time nor a count it runs for 10 seconds. Exit status: 0 done, "
               "1 the broker or the connection failed, 64 wrong usage.",
    };
    argp_parse(&argp, argc, argv, 0, NULL, options);
}
