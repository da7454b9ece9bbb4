/* Tests of net/listener: addresses, ports, stale Unix sockets, running out of descriptors. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "leveret/base/clock.h"
#include "leveret/net/connection.h"
#include "leveret/net/listener.h"

static struct loop *loop;
static int accepted_fds[64];
static int accepted_count;
#define DIRECTORY "/tmp/leveret-listener-XXXXXX"
static char directory[sizeof DIRECTORY];
static char path[108], address[128];

static void set_up(void)
{
    ck_assert_int_eq(loop_new(&loop), STATUS_OK);
    memcpy(directory, DIRECTORY, sizeof directory);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    snprintf(address, sizeof address, "unix:%s", path);
    accepted_count = 0;
}

static void tear_down(void)
{
    for (int i = 0; i < accepted_count; i++)
        close(accepted_fds[i]);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(directory), 0);
    loop_free(&loop);
}

static void on_accepted(void *context, int fd)
{
    ck_assert_ptr_eq(context, &accepted_count);
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_lt(accepted_count, 64);
    accepted_fds[accepted_count++] = fd;
}

static void stop_now(void *context)
{
    (void)context;
    loop_stop(loop);
}

static void run_for(uint64_t ms)
{
    struct timer *end = timer_new(loop, stop_now, NULL);
    timer_set(end, ms);
    loop_run(loop);
    timer_free(&end);
}

static struct listener *listen_on(const char *where)
{
    struct listener *listener;
    char *error;
    enum status status =
        listener_new(loop, where, on_accepted, &accepted_count, NULL, &listener, &error);
    ck_assert_msg(status == STATUS_OK, "%s: %s", where, error ? error : "?");
    ck_assert_ptr_null(error);
    return listener;
}

static void expect_error(const char *where, enum status expected, const char *word)
{
    struct listener *listener;
    char *error;
    enum status status =
        listener_new(loop, where, on_accepted, &accepted_count, NULL, &listener, &error);
    ck_assert_int_eq(status, expected);
    ck_assert_ptr_null(listener);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error, word), "'%s' does not speak of '%s'", error, word);
    free(error);
}

static int connect_ip(const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    if (!is_v4)
        ck_assert_int_eq(inet_pton(AF_INET6, host, &v6.sin6_addr), 1);
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0 &&
        connect(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof v4 : sizeof v6) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int connect_unix(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    if (connect(fd, (void *)&un, sizeof un) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool have_ipv6(void)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool ok = fd >= 0 && bind(fd, (void *)&v6, sizeof v6) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static void on_closed(void *context)
{
    *(bool *)context = true;
}

/* A connection's names are taken from the accepted socket. */
static void check_names(int fd, const char *host, uint16_t port)
{
    static const struct connection_handler handler = {.closed = on_closed};
    struct net_worker *worker = net_worker_new(loop, NULL);
    bool closed = false;
    struct connection *connection = connection_new(worker, dup(fd), &handler, &closed);
    const struct connection_address *names = connection_address(connection);
    char own[96];
    ck_assert_str_eq(names->host, host);
    ck_assert_str_eq(names->peer_host, host);
    ck_assert_uint_eq(names->port, port);
    ck_assert_uint_gt(names->peer_port, 0);
    ck_assert(names->loopback);
    snprintf(own, sizeof own, strchr(host, ':') ? " -> [%s]:%u" : " -> %s:%u", host, port);
    ck_assert_ptr_nonnull(strstr(connection_name(connection), own));
    connection_close(connection, 0);
    run_for(1);
    ck_assert(closed);
    net_worker_free(&worker);
}

START_TEST(test_all_addresses)
{
    struct listener *listener = listen_on("0");
    uint16_t port = listener_port(listener);
    ck_assert_uint_gt(port, 0);
    ck_assert_ptr_nonnull(strstr(listener_name(listener), "0.0.0.0:"));
    int v4 = connect_ip("127.0.0.1", port);
    ck_assert_int_ge(v4, 0);
    run_for(10);
    ck_assert_int_eq(accepted_count, 1);
    check_names(accepted_fds[0], "127.0.0.1", port);
    int on = 0;
    socklen_t len = sizeof on;
    ck_assert_int_eq(getsockopt(accepted_fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    ck_assert_int_ne(on, 0);
    if (have_ipv6()) {
        ck_assert_ptr_nonnull(strstr(listener_name(listener), "[::]:"));
        int v6 = connect_ip("::1", port);
        ck_assert_int_ge(v6, 0);
        run_for(10);
        ck_assert_int_eq(accepted_count, 2);
        check_names(accepted_fds[1], "::1", port);
        close(v6);
    }
    char text[16];
    snprintf(text, sizeof text, "%u", port);
    expect_error(text, STATUS_IO, "in use");
    close(v4);
    listener_free(&listener);
    ck_assert_int_lt(connect_ip("127.0.0.1", port), 0);
}
END_TEST

START_TEST(test_one_address)
{
    struct listener *listener = listen_on("127.0.0.1:0");
    char name[32];
    snprintf(name, sizeof name, "127.0.0.1:%u", listener_port(listener));
    ck_assert_str_eq(listener_name(listener), name);
    expect_error(name, STATUS_IO, "in use");
    int fds[10];
    for (int i = 0; i < 10; i++)
        fds[i] = connect_ip("127.0.0.1", listener_port(listener));
    run_for(10);
    ck_assert_int_eq(accepted_count, 10);
    for (int i = 0; i < 10; i++)
        close(fds[i]);
    listener_free(&listener);
    if (!have_ipv6())
        return;
    listener = listen_on("[::1]:0");
    int v6 = connect_ip("::1", listener_port(listener));
    ck_assert_int_ge(v6, 0);
    ck_assert_int_lt(connect_ip("127.0.0.1", listener_port(listener)), 0);
    run_for(10);
    ck_assert_int_eq(accepted_count, 11);
    close(v6);
    listener_free(&listener);
}
END_TEST

static int option_of(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

START_TEST(test_options_are_inherited)
{
    struct listener *listener = listen_on("127.0.0.1:0");
    const struct listener_options options = {.backlog = 7,
                                             .keepalive = true,
                                             .send_bytes = 30000,
                                             .receive_bytes = 40000,
                                             .send_timeout_ms = 15000};
    ck_assert_int_eq(listener_tune(listener, &options), STATUS_OK);
    int client = connect_ip("127.0.0.1", listener_port(listener));
    ck_assert_int_ge(client, 0);
    while (accepted_count == 0)
        run_for(10);
    int fd = accepted_fds[0];
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
    ck_assert_int_ne(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_SNDBUF), 60000); /* the kernel doubles it */
    ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_RCVBUF), 80000);
    ck_assert_int_eq(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 15000);
    close(client);
    listener_free(&listener);
}
END_TEST

START_TEST(test_malformed)
{
    static const char *const bad[] = {
        "",         "x",     "65536",      "-1",          "5672x",      "host:5672", ":5672",
        "::1:5672", "[::1]", "1.2.3:5672", "[1.2.3.4]:1", "127.0.0.1:", "unix:",     "[]:5672"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_error(bad[i], STATUS_MALFORMED, "address");
    char text[256] = "unix:/";
    memset(text + 6, 'a', 200);
    expect_error(text, STATUS_MALFORMED, "address");
}
END_TEST

START_TEST(test_name)
{
    struct listener *listener = listen_on("localhost:0");
    int fd = connect_ip("127.0.0.1", listener_port(listener));
    ck_assert_int_ge(fd, 0);
    run_for(10);
    ck_assert_int_eq(accepted_count, 1);
    close(fd);
    listener_free(&listener);
}
END_TEST

START_TEST(test_private_socket)
{
    struct stat there;
    struct listener *listener;
    char *error, long_path[256];
    mode_t kept = umask(0);
    ck_assert_int_eq(
        listener_new_private(loop, path, on_accepted, &accepted_count, NULL, &listener, &error),
        STATUS_OK);
    umask(kept);
    ck_assert_int_eq(stat(path, &there), 0);
    ck_assert_uint_eq(there.st_mode & 07777, 0600);
    int fd = connect_unix();
    ck_assert_int_ge(fd, 0);
    run_for(10);
    ck_assert_int_eq(accepted_count, 1);
    close(fd);
    listener_free(&listener);
    ck_assert_int_ne(stat(path, &there), 0);
    memset(long_path, 'x', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    ck_assert_int_eq(listener_new_private(loop, long_path, on_accepted, &accepted_count, NULL,
                                          &listener, &error),
                     STATUS_MALFORMED);
    ck_assert_ptr_null(listener);
    ck_assert_ptr_nonnull(strstr(error, "too long"));
    free(error);
}
END_TEST

START_TEST(test_unix_socket)
{
    struct stat there;
    struct listener *listener = listen_on(address);
    ck_assert_uint_eq(listener_port(listener), 0);
    ck_assert_str_eq(listener_name(listener), address);
    int fd = connect_unix();
    ck_assert_int_ge(fd, 0);
    run_for(10);
    ck_assert_int_eq(accepted_count, 1);
    close(fd);
    expect_error(address, STATUS_IO, "another process"); /* it lives */
    listener_free(&listener);
    ck_assert_int_ne(stat(path, &there), 0);

    /* A socket file that nobody listens on any more. */
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
    int dead = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(dead, (void *)&un, sizeof un), 0);
    close(dead);
    listener = listen_on(address);
    /* Replaced by somebody else's meanwhile: stays. */
    ck_assert_int_eq(unlink(path), 0);
    int other = open(path, O_CREAT | O_WRONLY, 0600);
    close(other);
    listener_free(&listener);
    ck_assert_int_eq(stat(path, &there), 0);
    /* A file that is no socket is never removed. */
    expect_error(address, STATUS_IO, "no socket");
    ck_assert_int_eq(stat(path, &there), 0);
}
END_TEST

START_TEST(test_no_descriptors)
{
    char log_path[128], text[4096] = "";
    snprintf(log_path, sizeof log_path, "%s/log", directory);
    struct log *log;
    ck_assert_int_eq(log_open(log_path, LOG_INFO, LOG_TEXT, &log), STATUS_OK);
    struct listener *listener;
    char *error;
    ck_assert_int_eq(
        listener_new(loop, "127.0.0.1:0", on_accepted, &accepted_count, log, &listener, &error),
        STATUS_OK);
    int client = connect_ip("127.0.0.1", listener_port(listener));
    ck_assert_int_ge(client, 0);
    struct rlimit old, none;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    none = old;
    none.rlim_cur = (rlim_t)client + 1; /* all lower ones are taken */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    run_for(500);
    getrusage(RUSAGE_SELF, &after);
    ck_assert_int_eq(accepted_count, 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    while (accepted_count == 0)
        run_for(10);
    /* It did not spin. */
    long used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                   after.ru_utime.tv_usec - before.ru_utime.tv_usec;
    ck_assert_int_lt(used_us, 200000);
    FILE *file = fopen(log_path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
    fclose(file);
    char *first = strstr(text, "no more connections can be accepted");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "no more connections can be accepted"));
    close(client);
    listener_free(&listener);
    log_close(&log);
    ck_assert_int_eq(unlink(log_path), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listener");
    TCase *cases = tcase_create("listener");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_set_timeout(cases, 1200);
    tcase_add_test(cases, test_all_addresses);
    tcase_add_test(cases, test_one_address);
    tcase_add_test(cases, test_options_are_inherited);
    tcase_add_test(cases, test_malformed);
    tcase_add_test(cases, test_name);
    tcase_add_test(cases, test_private_socket);
    tcase_add_test(cases, test_unix_socket);
    tcase_add_test(cases, test_no_descriptors);
    suite_add_tcase(suite, cases);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
