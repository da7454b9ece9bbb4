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
    bool check_only;
};

enum { OPTION_CONFIG = 'c', OPTION_SET = 's', OPTION_WORKERS = 'w', OPTION_CHECK = 1000 };

static const struct argp_option options[] = {
    {"config", OPTION_CONFIG, "FILE", 0, "Read the configuration from FILE", 0},
    {"set", OPTION_SET, "KEY=VALUE", 0,
     "Set one key, over the file and the environment; may be given several times", 0},
    {"workers", OPTION_WORKERS, "N", 0, "The number of worker threads: --set workers=N", 0},
    {"check-config", OPTION_CHECK, NULL, 0, "Check the configuration, print ok and end", 0},
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
    case OPTION_CHECK:
        arguments->check_only = true;
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

static int serve(const struct sources *sources, struct settings *settings)
{
    struct server server = {.sources = sources, .settings = settings, .signal_fd = -1};
    char *error = NULL;

    enum status status = server_start(&server, &error);
    if (status == STATUS_OK) {
        loop_run(server.loop);
    } else {
        /* The log may be a file; the user who started the broker looks at stderr. */
        fprintf(stderr, "leveretd: %s\n", error ? error : status_text(status));
        if (server.log && settings->log_file)
            log_line(server.log, LOG_ERROR, "leveretd", "could not start: %.2000s",
                     error ? error : status_text(status));
    }
    free(error);
    if (status == STATUS_OK)
        log_line(server.log, LOG_INFO, "leveretd", "no clients left, closing the journals");
    server_free(&server);
    return status == STATUS_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct text errors = {0};
    struct settings *settings;
    int code = 0;

    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&command_line, argc, argv, 0, NULL, &arguments);
    if (arguments.workers)
        add_assignment(&arguments, arguments.workers);
    if (!arguments.file && access(LEVERET_CONFIG_FILE, F_OK) == 0)
        arguments.file = LEVERET_CONFIG_FILE;

    struct sources sources = {arguments.file, arguments.assignments, arguments.assignment_count,
                              environ};
    if (!sources_read(&sources, &settings, &errors)) {
        fprintf(stderr, "%.*s", BYTES_PRINT(text_bytes(&errors)));
        code = EXIT_USAGE;
    } else if (arguments.check_only) {
        puts("ok");
    } else {
        code = serve(&sources, settings);
    }
    settings_free(&settings);
    text_free(&errors);
    free(arguments.assignments);
    free(arguments.workers);
    return code;
}
