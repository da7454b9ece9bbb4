/* The settings as a whole, and what follows from their values. */
#include "leveretd/settings/settings.h"

#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveretd/settings/keys.h"
#include "leveretd/settings/literal.h"

#define DEFAULT_ADDRESS "5672"

struct settings *settings_new(void)
{
    struct settings *settings = mem_need(sizeof *settings);
    keys_set_defaults(settings);
    return settings;
}

void settings_free(struct settings **settings)
{
    if (!*settings)
        return;
    keys_clear(*settings);
    setting_names_clear(&(*settings)->origins);
    free(*settings);
    *settings = NULL;
}

enum status settings_set(struct settings *settings, const char *key, const char *value, char **why)
{
    return keys_set(settings, key, value, why);
}

/* ---- What follows. */

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

char **settings_addresses(const struct settings *settings)
{
    size_t count = 0;
    char **out = mem_need((settings->listeners.count + 3) * sizeof *out);

    if (settings->listeners.count == 0)
        out[count++] = copy(DEFAULT_ADDRESS);
    for (size_t i = 0; i < settings->listeners.count; i++) {
        char *address;
        if (!literal_address(settings->listeners.items[i].value, &address) && address)
            out[count++] = address;
    }
    if (settings->unix_path && asprintf(&out[count], "unix:%s", settings->unix_path) < 0)
        out[count] = NULL;
    return out;
}

char **settings_tls_addresses(const struct settings *settings)
{
    size_t count = 0;
    char **out = mem_need((settings->tls_listeners.count + 1) * sizeof *out);

    for (size_t i = 0; i < settings->tls_listeners.count; i++) {
        char *address;
        if (!literal_address(settings->tls_listeners.items[i].value, &address) && address)
            out[count++] = address;
    }
    return out;
}

void settings_differences(const struct settings *now, const struct settings *wanted,
                          struct text *live, struct text *waiting)
{
    keys_differences(now, wanted, live, waiting);
}

void settings_take_live(struct settings *to, const struct settings *from)
{
    keys_take_live(to, from);
}

char **settings_loopback_users(const struct settings *settings)
{
    const struct setting_names *users = &settings->loopback_users;
    size_t count = 0;
    char **out = mem_need((users->count + 1) * sizeof *out);
    for (size_t i = 0; i < users->count; i++)
        if (strcmp(users->items[i].value, "true") == 0)
            out[count++] = copy(users->items[i].name);
    return out;
}

void settings_free_list(char ***list)
{
    for (char **item = *list; item && *item; item++)
        free(*item);
    free(*list);
    *list = NULL;
}

static char *address_of(const char *ip, const char *port)
{
    char *out;
    if (literal_is_off(port))
        return NULL;
    if (strcmp(port, "any") == 0)
        port = "0";
    if (!ip)
        return copy(port);
    bool bare_v6 = strchr(ip, ':') && ip[0] != '[';
    if (asprintf(&out, bare_v6 ? "[%s]:%s" : "%s:%s", ip, port) < 0)
        return NULL;
    return out;
}

char *settings_management_address(const struct settings *settings)
{
    return settings->management_listener_tls
               ? NULL
               : address_of(settings->management_ip, settings->management_port);
}

char *settings_prometheus_address(const struct settings *settings)
{
    return address_of(settings->prometheus_ip, settings->prometheus_port);
}

char *settings_management_tls_address(const struct settings *settings)
{
    bool own = !literal_is_off(settings->management_tls_port);
    if (settings->management_listener_tls && !own)
        return address_of(settings->management_ip, settings->management_port);
    return address_of(settings->management_tls_ip, settings->management_tls_port);
}

char *settings_prometheus_tls_address(const struct settings *settings)
{
    return address_of(settings->prometheus_tls_ip, settings->prometheus_tls_port);
}

static uint64_t bytes_or_ratio(uint64_t bytes, double ratio, uint64_t whole)
{
    return ratio > 0 && bytes == 0 ? (uint64_t)((double)whole * ratio) : bytes;
}

uint64_t settings_memory_bytes_max(const struct settings *settings, uint64_t physical_bytes)
{
    return bytes_or_ratio(settings->memory_bytes, settings->memory_ratio, physical_bytes);
}

uint64_t settings_disk_free_bytes_min(const struct settings *settings, uint64_t physical_bytes)
{
    return bytes_or_ratio(settings->disk_bytes, settings->disk_ratio, physical_bytes);
}
