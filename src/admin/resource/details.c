/* Part of the api: pieces of objects that several resources have. See details.h. */
#include "admin/resource/details.h"

#include <stdio.h>
#include <time.h>

#include "admin/json/answer.h"

/* Takes the client's host and port from "host:port -> host:port". A host may hold colons: the last
 * one before the arrow ends it. Returns false when the name is not of that form. */
static bool split_peer(struct bytes name, struct bytes *host, uint64_t *port)
{
    size_t end = 0, colon = 0;
    while (end + 4 <= name.len && memcmp(name.at + end, " -> ", 4) != 0) {
        if (name.at[end] == ':')
            colon = end;
        end++;
    }
    if (end + 4 > name.len || colon == 0)
        return false;
    *host = bytes_of(name.at, colon);
    *port = 0;
    for (size_t i = colon + 1; i < end && name.at[i] >= '0' && name.at[i] <= '9'; i++)
        *port = *port * 10 + (uint64_t)(name.at[i] - '0');
    return true;
}

void api_peer_fields(struct answer *answer, struct bytes connection_name)
{
    struct bytes host;
    uint64_t port;
    if (!split_peer(connection_name, &host, &port))
        return;
    answer_bytes(answer, "peer_host", host);
    answer_uint(answer, "peer_port", port);
}

void api_connection_write(struct answer *answer, const char *key, struct bytes connection_name)
{
    if (!answer_object(answer, key))
        return;
    answer_bytes(answer, "name", connection_name);
    api_peer_fields(answer, connection_name);
    answer_end(answer);
}

void api_time_write(struct answer *answer, const char *key, uint64_t wall_ms)
{
    char text[64];
    struct tm tm;
    time_t seconds = (time_t)(wall_ms / 1000);
    if ((key && !answer_wants(answer, key)) || !gmtime_r(&seconds, &tm))
        return;
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + len, sizeof text - len, ".%03u+00:00", (unsigned)(wall_ms % 1000));
    answer_text(answer, key, text);
}

void api_exchange_types_write(struct answer *answer)
{
    static const struct {
        const char *name, *description;
    } types[] = {
        {"direct", "AMQP direct exchange, as per the AMQP specification"},
        {"fanout", "AMQP fanout exchange, as per the AMQP specification"},
        {"headers", "AMQP headers exchange, as per the AMQP specification"},
        {"topic", "AMQP topic exchange, as per the AMQP specification"},
        {"x-consistent-hash", "Consistent Hashing Exchange"},
        {"x-delayed-message", "Delayed Message Exchange"},
        {"x-local-random", "Picks one random local binding (queue) to route via (to)."},
        {"x-message-deduplication", "Message Deduplication Exchange"},
        {"x-modulus-hash", "Modulus Hashing Exchange"},
        {"x-random", "Picks a binding at random"},
        {"x-recent-history", "Recent History Exchange."},
    };
    if (!answer_array(answer, "exchange_types"))
        return;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        answer_object(answer, NULL);
        answer_text(answer, "name", types[i].name);
        answer_text(answer, "description", types[i].description);
        answer_bool(answer, "enabled", true);
        answer_end(answer);
    }
    answer_end(answer);
}

/* ---- Tags. */

void api_tags_write(struct answer *a, const char *key, const char *tags)
{
    if (!answer_array(a, key))
        return;
    while (*tags) {
        size_t len = strcspn(tags, ",");
        if (len)
            answer_bytes(a, NULL, bytes_of(tags, len));
        tags += len + (tags[len] == ',');
    }
    answer_end(a);
}

static void add_tag(struct text *out, const char *tag, size_t len)
{
    text_printf(out, "%s%.*s", out->len ? "," : "", (int)len, tag);
}

void api_tags_read(struct form *form, const char *key, struct text *out)
{
    const struct value *value = value_get(form->object, key);
    if (value_kind_of(value) != VALUE_LIST) {
        for (const char *at = form_text(form, key, ""); *at;) {
            at += strspn(at, ", ");
            size_t len = strcspn(at, ", ");
            if (len)
                add_tag(out, at, len);
            at += len;
        }
        return;
    }
    for (size_t i = 0; i < value_count(value); i++) {
        struct bytes tag = value_bytes(value_at(value, i));
        if (value_kind_of(value_at(value, i)) != VALUE_TEXT || tag.len == 0 ||
            memchr(tag.at, ',', tag.len) || memchr(tag.at, '\0', tag.len)) {
            form_refuse(form, key, "a tag is a string without commas");
            return;
        }
        add_tag(out, (const char *)tag.at, tag.len);
    }
}
