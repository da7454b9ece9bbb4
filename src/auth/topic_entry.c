/* Entries of topic permissions.
 *
 * Normal course: a change copies the entry, changes one rule of the copy, and stages it (staged.h).
 * What can go wrong: an expression is none, or too long: the change is refused; a record cannot be
 * read: CORRUPT, and the broker does not start with guessed permissions. */
#include "topic_entry.h"

#include <stdio.h>

#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"

#define CLIENT_ID "{client_id}"

static char *copy(const char *text)
{
    return mem_need_text(text, strlen(text));
}

/* ---- Expressions. */

/* Appends a name so that it stands for itself: each ASCII byte that may mean something to PCRE2
 * gets a backslash. */
static void add_literal(struct text *out, struct bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        bool plain = c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                     (c >= 'A' && c <= 'Z');
        if (!plain)
            text_add(out, "\\", 1);
        text_add(out, &name.at[i], 1);
    }
}

void topic_expression(const char *text, struct bytes user, struct bytes vhost,
                      struct bytes client_id, struct text *out)
{
    const struct {
        const char *name;
        struct bytes value;
    } variables[] = {{"{username}", user}, {"{vhost}", vhost}, {CLIENT_ID, client_id}};
    while (*text) {
        size_t skip = 0;
        for (size_t i = 0; i < 3 && !skip; i++) {
            size_t len = strlen(variables[i].name);
            if (variables[i].value.at && strncmp(text, variables[i].name, len) == 0) {
                add_literal(out, variables[i].value);
                skip = len;
            }
        }
        if (!skip)
            text_add(out, text, 1);
        text += skip ? skip : 1;
    }
}

static enum status compile(const struct topic_entry *entry, const char *text, struct pattern **out,
                           char **error)
{
    struct text expression = {0};
    topic_expression(text, bytes_of_text(entry->user), bytes_of_text(entry->vhost),
                     bytes_of(NULL, 0), &expression);
    enum status status = entry_compile(text_bytes(&expression), text, out, error);
    text_free(&expression);
    return status;
}

/* ---- Rules. */

static void rule_unref(struct topic_rule *rule)
{
    if (--rule->references)
        return;
    free(rule->exchange);
    for (size_t i = 0; i < TOPIC_KINDS; i++) {
        free(rule->text[i]);
        pattern_free(&rule->pattern[i]);
    }
    free(rule);
}

static enum status rule_new(const struct topic_entry *entry, const char *exchange,
                            const char *const texts[TOPIC_KINDS], struct topic_rule **out,
                            char **error)
{
    struct topic_rule *rule = mem_need(sizeof *rule);
    rule->references = 1;
    rule->exchange = copy(exchange);
    for (size_t i = 0; i < TOPIC_KINDS; i++) {
        rule->text[i] = copy(texts[i]);
        enum status status = compile(entry, texts[i], &rule->pattern[i], error);
        if (status != STATUS_OK) {
            rule_unref(rule);
            return status;
        }
        if (strstr(texts[i], CLIENT_ID))
            pattern_free(&rule->pattern[i]);
    }
    *out = rule;
    return STATUS_OK;
}

static int compare(const char *name, struct bytes other)
{
    size_t len = strlen(name), shorter = len < other.len ? len : other.len;
    int order = shorter ? memcmp(name, other.at, shorter) : 0;
    return order ? order : (len > other.len) - (len < other.len);
}

/* The place of an exchange's rule, or the place where it belongs. */
static size_t place_of(const struct topic_entry *entry, struct bytes exchange, bool *found)
{
    size_t low = 0, high = entry->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare(entry->rules[middle]->exchange, exchange);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

const struct topic_rule *topic_entry_find(const struct topic_entry *entry, struct bytes exchange)
{
    bool found;
    size_t at = place_of(entry, exchange, &found);
    return found ? entry->rules[at] : NULL;
}

static void insert(struct topic_entry *entry, size_t at, struct topic_rule *rule)
{
    entry->rules = mem_need_array(entry->rules, entry->count + 1, sizeof(struct topic_rule *));
    memmove(&entry->rules[at + 1], &entry->rules[at],
            (entry->count - at) * sizeof(struct topic_rule *));
    entry->rules[at] = rule;
    entry->count++;
}

enum status topic_entry_put(struct topic_entry *entry, const char *exchange, const char *write,
                            const char *read, char **error)
{
    const char *const texts[TOPIC_KINDS] = {write, read};
    struct topic_rule *rule;
    bool found;
    size_t at = place_of(entry, bytes_of_text(exchange), &found);
    if (!found && entry->count >= TOPIC_PERMISSIONS_MAX)
        return STATUS_LIMIT;
    enum status status = rule_new(entry, exchange, texts, &rule, error);
    if (status != STATUS_OK)
        return status;
    if (found) {
        rule_unref(entry->rules[at]);
        entry->rules[at] = rule;
    } else {
        insert(entry, at, rule);
    }
    return STATUS_OK;
}

void topic_entry_remove(struct topic_entry *entry, const char *exchange)
{
    bool found;
    size_t at = place_of(entry, bytes_of_text(exchange), &found);
    if (!found)
        return;
    rule_unref(entry->rules[at]);
    entry->count--;
    memmove(&entry->rules[at], &entry->rules[at + 1],
            (entry->count - at) * sizeof(struct topic_rule *));
}

/* ---- Entries. */

struct topic_entry *topic_entry_new(const char *user, const char *vhost,
                                    const struct topic_entry *other)
{
    struct topic_entry *entry = mem_need(sizeof *entry);
    char key[PERMISSION_KEY_MAX];
    entry->key_len = entry_permission_key(bytes_of_text(vhost), bytes_of_text(user), key);
    entry->key = mem_need_text(key, entry->key_len);
    entry->vhost = entry->key;
    entry->user = entry->key + strlen(vhost) + 1;
    for (size_t i = 0; other && i < other->count; i++) {
        other->rules[i]->references++;
        insert(entry, i, other->rules[i]);
    }
    return entry;
}

void topic_entry_free(struct topic_entry **entry)
{
    struct topic_entry *e = *entry;
    *entry = NULL;
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++)
        rule_unref(e->rules[i]);
    free(e->rules);
    free(e->changed);
    free(e->key);
    free(e);
}

/* ---- Records. */

#define COLUMNS 3u
static const char *const columns[COLUMNS] = {"exchange", "write", "read"};

enum status topic_entry_write(const struct topic_entry *entry, struct text *out)
{
    struct auth_record_member *rows =
        mem_need_array(NULL, entry->count * COLUMNS + 1, sizeof(struct auth_record_member));
    for (size_t i = 0; i < entry->count; i++) {
        const struct topic_rule *rule = entry->rules[i];
        const char *const texts[COLUMNS] = {rule->exchange, rule->text[0], rule->text[1]};
        for (size_t j = 0; j < COLUMNS; j++)
            rows[i * COLUMNS + j] = (struct auth_record_member){columns[j], texts[j], 0};
    }
    enum status status = auth_record_write_rows(rows, entry->count, COLUMNS, out);
    free(rows);
    return status;
}

static enum status read_rule(void *context, const char *const *texts)
{
    enum status status = topic_entry_put(context, texts[0], texts[1], texts[2], NULL);
    return status == STATUS_OK ? STATUS_OK : STATUS_CORRUPT;
}

enum status topic_entry_read(const char *user, const char *vhost, struct bytes record,
                             struct topic_entry **out)
{
    struct topic_entry *entry = topic_entry_new(user, vhost, NULL);
    enum status status = auth_record_read_rows(record, columns, COLUMNS, read_rule, entry);
    if (status == STATUS_OK && entry->count == 0)
        status = STATUS_CORRUPT;
    if (status != STATUS_OK)
        topic_entry_free(&entry);
    *out = entry;
    return status;
}
