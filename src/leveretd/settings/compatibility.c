/* The key `compatibility`: see compatibility.h. */
#include "leveretd/settings/compatibility.h"

#include <stdlib.h>
#include <string.h>

#include "leveret/base/check.h"
#include "leveret/base/identity.h"
#include "leveretd/settings/keys.h"

#define VERSIONS DIALECT_VERSION, DIALECT_VERSION_313, DIALECT_VERSION_43

static const struct {
    const char *key, *values[3]; /* values: by the number of the word */
} table[] = {
    {"quorum_queue.delivery_count", {"returns", "returns", "failures"}},
    {"x_death.from_clients", {"count", "count", "ignore"}},
    {"consumer_timeout.action", {"cancel", "close", "cancel"}},
    {"max_message_size", {"128MiB", "128MiB", "16MiB"}},
    {"server_properties.version", {VERSIONS}},
};
#define KEYS (sizeof table / sizeof table[0])

const char *compatibility_version(const struct settings *settings)
{
    static const char *const versions[] = {VERSIONS};
    return versions[settings->compatibility];
}

static void follow(struct settings *settings)
{
    unsigned said = settings->said;
    for (unsigned i = 0; i < KEYS; i++) {
        char *why;
        if (said & 1u << i)
            continue;
        enum status status =
            keys_set(settings, table[i].key, table[i].values[settings->compatibility], &why);
        CHECK(status == STATUS_OK);
    }
    settings->said = said;
}

void compatibility_noted(struct settings *settings, const char *key)
{
    if (strcmp(key, "compatibility") == 0)
        follow(settings);
    for (unsigned i = 0; i < KEYS; i++)
        if (strcmp(key, table[i].key) == 0)
            settings->said |= 1u << i;
}
