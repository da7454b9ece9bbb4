/* Where the broker is asked.
 *
 * Normal course: whoever names a host, a port, a user or a password means HTTP there. All others
 * are on the broker's machine: the control socket is looked for in the data directory, which is
 * named by an option, by LEVERET_DATA_DIR or by leveretd's files of configuration, or is the
 * default. What can go wrong: the socket is not there, or this user may not use it: then HTTP on
 * localhost is tried, as user guest. */
#include "ctl/options/target.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/options/settings.h"
#include "ctl/output/complain.h"
#include "leveret/base/folder.h"
#include "leveret/base/mem.h"

/* ---- URIs. */

const char *target_set_uri(struct options *options, const char *uri)
{
    struct uri_parts parts = {0};
    const char *wrong = options->reader->take_uri(uri, &parts);
    const char *scheme = parts.scheme ? parts.scheme : "";
    size_t len = parts.path ? strlen(parts.path) : 0;
    if (!wrong && strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
        wrong = "a URI begins with http:// or https://";
    if (!wrong)
        wrong = options_set(options, "host", parts.host);
    free(options->port);
    options->port = NULL; /* one of another source belongs to another host */
    if (!wrong && parts.port)
        wrong = options_set(options, "port", parts.port);
    if (!wrong && parts.user)
        wrong = options_set(options, "user", parts.user);
    if (!wrong && parts.password)
        wrong = options_set(options, "password", parts.password);
    while (len && parts.path[len - 1] == '/')
        parts.path[--len] = '\0';
    if (!wrong) {
        setting_replace(&options->scheme, parts.scheme);
        setting_replace(&options->prefix, len ? parts.path : "");
    }
    char *const all[] = {parts.scheme, parts.host, parts.port,
                         parts.path,   parts.user, parts.password};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return wrong;
}

/* ---- The control socket. */

/* What leveretd's files of configuration say; the last one counts. */
struct found {
    char *data_dir, *control_socket;
};

static void see_line(void *context, const char *key, const char *value)
{
    struct found *found = context;
    if (strcmp(key, "data_dir") == 0)
        setting_replace(&found->data_dir, value);
    else if (strcmp(key, "control_socket") == 0)
        setting_replace(&found->control_socket, value);
}

static void see_file(void *context, const char *path)
{
    config_each(path, see_line, context);
}

/* The path of the control socket of this machine's broker, which the caller frees; NULL: there is
 * none. */
static char *find_socket(const struct options *options)
{
    const char *data_dir = getenv("LEVERET_DATA_DIR"), *name = getenv("LEVERET_CONTROL_SOCKET");
    struct found found = {0};
    char *path = NULL;
    config_each(LEVERET_CONFIG_FILE, see_line, &found);
    /* A folder that is not there says nothing. */
    enum status status = folder_each(LEVERET_CONFIG_FOLDER "/conf.d", ".conf", see_file, &found);
    (void)status;
    if (options->data_dir)
        data_dir = options->data_dir;
    else if (!data_dir)
        data_dir = found.data_dir ? found.data_dir : LEVERET_DATA_DIR;
    if (!name)
        name = found.control_socket ? found.control_socket : "control.sock";
    if (name[0] == '/')
        path = mem_need_text(name, strlen(name));
    else if (asprintf(&path, "%s/%s", data_dir, name) < 0)
        path = NULL;
    free(found.data_dir);
    free(found.control_socket);
    return path;
}

static bool answers(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 &&
                connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return good;
}

/* What belongs to TLS is refused without TLS, because it would have no effect. Returns NULL, or
 * what is wrong. */
static const char *check_tls(const struct options *options)
{
    const struct options_tls *tls = &options->tls;
    bool https = strcmp(options->scheme, "https") == 0;
    if (!https && (tls->cacert || tls->cert || tls->key || tls->insecure))
        return "cacert, cert, key and insecure need tls, or a URI of https://";
    if (tls->key && !tls->cert)
        return "key needs cert";
    if (tls->cacert && tls->insecure)
        return "either cacert or insecure";
    return NULL;
}

bool target_choose(struct options *options)
{
    const char *wrong = check_tls(options);
    if (wrong) {
        complain("%s", wrong);
        return false;
    }
    if (!options->port)
        setting_replace(&options->port, strcmp(options->scheme, "https") == 0 ? "15671" : "15672");
    if (options->socket && options->named) {
        complain("--socket needs no host, port, user, password or TLS");
        return false;
    }
    if (options->socket || (options->named && !options->data_dir))
        return true;
    char *path = find_socket(options);
    if (path && answers(path)) {
        options->socket = path;
        return true;
    }
    if (options->data_dir) {
        complain("no broker answers on %s, or not to this user", path ? path : options->data_dir);
        free(path);
        return false;
    }
    free(path);
    return true;
}
