/* leveret-perf: puts a load on any AMQP 0-9-1 broker and measures its throughput and latency. */
#include <sys/resource.h>

#include "options.h"
#include "rounds.h"
#include "run.h"

/* Raises the limit of open files to the hard limit. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    struct options options;
    options_read(&options, argc, argv);
    raise_file_limit();
    int exit_status = 0;
    switch (options.mode) {
    case MODE_LOAD:
        exit_status = run_load(&options);
        break;
    case MODE_IDLE:
        exit_status = rounds_idle(&options);
        break;
    case MODE_CHURN:
        exit_status = rounds_churn(&options);
        break;
    }
    text_free(&options.queue_arguments);
    return exit_status;
}
