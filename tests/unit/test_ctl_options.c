/* leveretctl's options: what the command line may say, rabbitmqctl's spelling, and what is
 * complained of. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/options/options.h"
#include "ctl/options/pairs.h"

static const unsigned char status[] = {OPTION_NONE};
static const unsigned char get[] = {OPTION_VHOST,    OPTION_COUNT,    OPTION_ACK_MODE,
                                    OPTION_ARGUMENT, OPTION_PRIORITY, OPTION_NONE};

static const unsigned char *takes(const char *command)
{
    return strcmp(command, "get") == 0 ? get : strcmp(command, "status") == 0 ? status : NULL;
}

#define WORDS_MAX 16

/* Reads a line of words that blanks separate; the answer is the options' alone. */
static bool read_line(struct options *options, const char *line, bool rabbitmqctl)
{
    static char copy[512];
    static char *argv[WORDS_MAX + 1];
    const struct options_reader reader = {.rabbitmqctl = rabbitmqctl, .takes = takes};
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && argc < WORDS_MAX; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return options_read(options, &reader, argc, argv);
}

/* What the line is refused with, on standard error. */
static void expect_refused(const char *line, const char *said)
{
    struct options options;
    char text[4096] = "";
    FILE *file = tmpfile();
    int kept = dup(STDERR_FILENO);
    ck_assert(file && dup2(fileno(file), STDERR_FILENO) >= 0);
    bool good = read_line(&options, line, false);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    options_free(&options);
    ck_assert_msg(!good, "%s", line);
    ck_assert_msg(len && strstr(text, said), "%s: %s", line, text);
    ck_assert_msg(strchr(text, '\n') == text + len - 1, "%s: %s", line, text);
}

static void setup(void)
{
    setenv("HOME", "/nonexistent", 1);
}

START_TEST(options_of_commands)
{
    struct options o;
    ck_assert(read_line(&o, "x -H h.example -p v get q -c 7 --ack-mode=ack -a a=1 -a b=2", false));
    ck_assert_str_eq(o.host, "h.example");
    ck_assert_str_eq(o.vhost, "v");
    ck_assert_int_eq(o.arg_count, 2);
    ck_assert_str_eq(o.args[1], "q");
    ck_assert_int_eq(option_number(&o, OPTION_COUNT, 1), 7);
    ck_assert_int_eq(option_number(&o, OPTION_PRIORITY, 3), 3);
    ck_assert_str_eq(option_text(&o, OPTION_ACK_MODE), "ack");
    ck_assert_uint_eq(option_pairs(&o, OPTION_ARGUMENT)->count, 2);
    ck_assert(option_given(&o, OPTION_VHOST) && !option_given(&o, OPTION_RAW));
    options_free(&o);
}
END_TEST

START_TEST(words_that_look_like_options)
{
    struct options o;
    ck_assert(read_line(&o, "x get -- -c", false));
    ck_assert_int_eq(o.arg_count, 2);
    ck_assert_str_eq(o.args[1], "-c");
    options_free(&o);
    ck_assert(read_line(&o, "x --priority -5 get q", false));
    ck_assert_int_eq(option_number(&o, OPTION_PRIORITY, 0), -5);
    options_free(&o);
}
END_TEST

START_TEST(refusals)
{
    expect_refused("x status --count 1", "status takes no --count");
    expect_refused("x status -c 1", "status takes no --count");
    expect_refused("x get --cuont 1 q", "did you mean --count?");
    expect_refused("x get --frobnicate", "unknown option --frobnicate");
    expect_refused("x get -Z", "unknown option -Z");
    expect_refused("x -u guest status", "unknown option -u");
    expect_refused("x -u", "unknown option -u");
    expect_refused("x frobnicate --count", "no value for --count");
    expect_refused("x get q --count", "no value for --count");
    expect_refused("x get q -c", "no value for -c");
    expect_refused("x get q -c many", "--count");
    expect_refused("x get q --ack-mode maybe", "requeue ack reject");
    expect_refused("x get q -a novalue", "NAME=VALUE");
    expect_refused("x -f xml status", "--format");
    expect_refused("x --formatter erlang status", "no Erlang");
    expect_refused("x --port 0 status", "--port");
    expect_refused("x -n rabbit@elsewhere status", "elsewhere");
    expect_refused("x -n rabbit@elsewhere -H there status", "not on there");
}
END_TEST

START_TEST(styles)
{
    struct options o;
    ck_assert(read_line(&o, "x status", false));
    ck_assert(o.style.headings && !o.style.banner && o.style.format == FORMAT_TABLE);
    options_free(&o);
    ck_assert(read_line(&o, "x -q status", false));
    ck_assert(!o.style.headings);
    options_free(&o);
    ck_assert(read_line(&o, "x status --formatter table", false));
    ck_assert(o.style.rabbitmqctl && o.style.banner && o.style.format == FORMAT_TABS);
    options_free(&o);
    ck_assert(read_line(&o, "x status", true));
    ck_assert(o.style.headings && o.style.banner && o.style.format == FORMAT_TABS);
    options_free(&o);
    ck_assert(read_line(&o, "x -q status", true));
    ck_assert(o.style.headings && !o.style.banner);
    options_free(&o);
    ck_assert(read_line(&o, "x -s status", true));
    ck_assert(!o.style.headings && !o.style.banner);
    options_free(&o);
    ck_assert(read_line(&o, "x status --no-table-headers", true));
    ck_assert(!o.style.headings && o.style.banner);
    options_free(&o);
    ck_assert(read_line(&o, "x status -f json", true));
    ck_assert(o.style.format == FORMAT_JSON && !o.style.banner);
    options_free(&o);
    ck_assert(read_line(&o, "x -f pretty_table status", true));
    ck_assert(o.style.format == FORMAT_FRAMES_VT);
    options_free(&o);
}
END_TEST

START_TEST(nodes)
{
    char own[200] = "", line[300];
    struct options o;
    gethostname(own, sizeof own - 1);
    snprintf(line, sizeof line, "x -n rabbit@%s -l status", own);
    ck_assert(read_line(&o, line, false));
    options_free(&o);
    ck_assert(read_line(&o, "x -n rabbit@there -H there status", false));
    options_free(&o);
    ck_assert(read_line(&o, "x -n rabbit status", false));
    options_free(&o);
}
END_TEST

/* The port follows from TLS when no source names one. */
START_TEST(tls)
{
    struct options o;
    ck_assert(read_line(&o, "x -H h status", false));
    ck_assert_str_eq(o.scheme, "http");
    ck_assert_str_eq(o.port, "15672");
    options_free(&o);
    ck_assert(read_line(&o, "x --tls --cacert ca --cert c --key k status", false));
    ck_assert_str_eq(o.scheme, "https");
    ck_assert_str_eq(o.port, "15671");
    ck_assert_str_eq(o.tls.cacert, "ca");
    ck_assert_str_eq(o.tls.cert, "c");
    ck_assert_str_eq(o.tls.key, "k");
    ck_assert(!o.tls.insecure && !o.socket);
    options_free(&o);
    ck_assert(read_line(&o, "x --tls --insecure -P 7 status", false));
    ck_assert_str_eq(o.port, "7");
    ck_assert(o.tls.insecure);
    options_free(&o);
    setenv("LEVERETCTL_TLS", "true", 1);
    setenv("LEVERETCTL_CACERT", "of-environment", 1);
    ck_assert(read_line(&o, "x status", false));
    ck_assert_str_eq(o.port, "15671");
    ck_assert_str_eq(o.tls.cacert, "of-environment");
    options_free(&o);
    setenv("LEVERETCTL_TLS", "maybe", 1);
    expect_refused("x status", "LEVERETCTL_TLS: true or false");
    unsetenv("LEVERETCTL_TLS");
    unsetenv("LEVERETCTL_CACERT");
    expect_refused("x -H h --cacert ca status", "need tls");
    expect_refused("x -H h --insecure status", "need tls");
    expect_refused("x --tls --key k status", "key needs cert");
    expect_refused("x --tls --insecure --cacert ca status", "either cacert or insecure");
    expect_refused("x --tls --socket s status", "--socket needs no");
}
END_TEST

START_TEST(password_leaves_argv)
{
    struct options o;
    char program[] = "x", option[] = "--password", secret[] = "secret", command[] = "status";
    char *argv[] = {program, option, secret, command, NULL};
    const struct options_reader reader = {.takes = takes};
    ck_assert(options_read(&o, &reader, 4, argv));
    ck_assert_str_eq(o.password, "secret");
    ck_assert_str_eq(secret, "******");
    options_free(&o);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ctl options");
    TCase *tests = tcase_create("options");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, options_of_commands);
    tcase_add_test(tests, words_that_look_like_options);
    tcase_add_test(tests, refusals);
    tcase_add_test(tests, styles);
    tcase_add_test(tests, nodes);
    tcase_add_test(tests, tls);
    tcase_add_test(tests, password_leaves_argv);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
