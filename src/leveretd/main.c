/* leveretd: the command line.
 *
 * Ends with 0 after a stop by signal, 1 when it could not start, 2 when command line or
 * configuration are wrong. */
#include <argp.h>
#include <stdio.h>
#include <unistd.h>

#include "leveret/base/mem.h"
#include "server.h"

#define EXIT_USAGE 2

const char *argp_program_version = "leveretd " LEVERET_VERSION;

struct arguments {
    const char *file;
    const char **assignments;
    size_t assignment_count;
    char *workers; /* "workers=N", for assignments */
    bool check_only, verbose, print_only;
};

enum {
    OPTION_CONFIG = 'c',
    OPTION_SET = 's',
    OPTION_WORKERS = 'w',
    OPTION_CHECK = 1000,
    OPTION_VERBOSE,
    OPTION_LENIENT,
    OPTION_PRINT,
};

static const struct argp_option options[] = {
    {"config", OPTION_CONFIG, "FILE", 0,
     "Read the configuration from FILE, or from each *.conf of a folder, in order of name", 0},
    {"set", OPTION_SET, "KEY=VALUE", 0,
     "Set one key, over the file and the environment; may be given several times", 0},
    {"workers", OPTION_WORKERS, "N", 0, "The number of worker threads: --set workers=N", 0},
    {"lenient", OPTION_LENIENT, NULL, 0,
     "Start although keys ask for features that are missing: --set config.lenient=true", 0},
    {"check-config", OPTION_CHECK, NULL, 0,
     "Check the configuration, print what is wrong or has no effect, and end", 0},
    {"verbose", OPTION_VERBOSE, NULL, 0,
     "With --check-config: print every key with its value and where that comes from", 0},
    {"print-config", OPTION_PRINT, NULL, 0, "Print a file with every key commented out, and end",
     0},
    {0},
};

static void add_assignment(struct arguments *arguments, const char *assignment)
{
    arguments->assignments = mem_need_array(arguments->assignments, arguments->assignment_count + 1,
                                            sizeof *arguments->assignments);
    arguments->assignments[arguments->assignment_count++] = assignment;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case OPTION_CONFIG:
        arguments->file = value;
        return 0;
    case OPTION_SET:
        add_assignment(arguments, value);
        return 0;
    case OPTION_WORKERS:
        free(arguments->workers);
        if (asprintf(&arguments->workers, "workers=%s", value) < 0)
            return ENOMEM;
        return 0;
    case OPTION_LENIENT:
        add_assignment(arguments, "config.lenient=true");
        return 0;
    case OPTION_CHECK:
        arguments->check_only = true;
        return 0;
    case OPTION_VERBOSE:
        arguments->verbose = true;
        return 0;
    case OPTION_PRINT:
        arguments->print_only = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp command_line = {
    .options = options,
    .parser = parse,
    .doc = "The AMQP 0-9-1 broker Leveret.\v"
           "Without --config, " LEVERET_CONFIG_FILE " is read when it is there. Each key may also "
           "stand in the environment: LEVERET_LOG_LEVEL for log.level. See leveretd(8).",
};

static void print_findings(const struct report *report, FILE *to)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct finding *finding = &report->items[i];
        fprintf(to, "%s%s\n", report_is_error(report, finding) ? "" : "warning: ", finding->text);
    }
}

static void print_setting(void *context, const char *key, const char *value, const char *origin)
{
    (void)context;
    printf("%s = %s  # %s\n", key, value, origin);
}

/* Tells what the sources say. Returns the exit code. */
static int check(const struct settings *settings, const struct report *report, bool verbose)
{
    bool good = report_is_good(report);
    print_findings(report, good ? stdout : stderr);
    if (verbose)
        settings_each(settings, print_setting, NULL);
    if (good)
        puts("ok");
    return good ? 0 : EXIT_USAGE;
}

static int print_file(void)
{
    struct text file = {0};
    settings_print_file(&file);
    printf("%.*s", BYTES_PRINT(text_bytes(&file)));
    text_free(&file);
    return 0;
}

/* Says why the broker did not start, line by line. The log may be a file; the user who started the
 * broker looks at stderr. */
static void complain_of_start(const struct server *server, const char *error)
{
    while (*error) {
        int bytes = (int)strcspn(error, "\n");
        fprintf(stderr, "leveretd: %.*s\n", bytes, error);
        if (server->log && server->settings->log_file)
            log_line(server->log, LOG_ERROR, "leveretd", "could not start: %.*s", bytes, error);
        error += bytes + (error[bytes] == '\n');
    }
}

static int serve(const struct sources *sources, struct settings *settings,
                 const struct report *report)
{
    struct server server = {
        .sources = sources, .settings = settings, .report = report, .signal_fd = -1};
    char *error = NULL;

    enum status status = server_start(&server, &error);
    if (status == STATUS_OK) {
        loop_run(server.loop);
    } else {
        complain_of_start(&server, error ? error : status_text(status));
    }
    free(error);
    if (status == STATUS_OK)
        log_line(server.log, LOG_INFO, "leveretd", "no clients left, closing the journals");
    server_free(&server);
    return status == STATUS_OK ? 0 : 1;
}

static int run(const struct arguments *arguments)
{
    const struct sources sources = {arguments->file, arguments->assignments,
                                    arguments->assignment_count, environ};
    struct report report = {0};
    struct settings *settings;
    int code = EXIT_USAGE;

    sources_read(&sources, &settings, &report);
    if (arguments->check_only)
        code = check(settings, &report, arguments->verbose);
    else if (report_is_good(&report))
        code = serve(&sources, settings, &report);
    else
        print_findings(&report, stderr);
    settings_free(&settings);
    report_free(&report);
    return code;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};

    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&command_line, argc, argv, 0, NULL, &arguments);
    if (arguments.workers)
        add_assignment(&arguments, arguments.workers);
    int code = arguments.print_only ? print_file() : run(&arguments);
    free(arguments.assignments);
    free(arguments.workers);
    return code;
}
