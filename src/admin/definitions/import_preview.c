/* Part of import: the dry run, which says what an import would change and changes nothing.
 *
 * Normal course: after the check, what is there is exported and parsed, on a thread when it is
 * large. Then the entries of the file are compared with it, list by list and in portions: an entry
 * is new, or different, or as it is there already. What can go wrong: a queue or an exchange is
 * there with other properties: an import would leave it as it is, and this is told as a conflict.
 * The definitions that are there are longer than a file may be: 503. */
#include "admin/definitions/import.h"

#include <stdio.h>
#include <string.h>

#include "admin/http/body.h"
#include "admin/http/respond.h"
#include "leveret/admin/admin.h"

#define QUEUE_TYPE_ARGUMENT "x-queue-type"

/* The fields of an entry that make it the same one; then NULL. The vhost does not count in the
 * definitions of one. */
#define IDENTITY_FIELDS_MAX 7
static const char *const identity[KIND_COUNT][IDENTITY_FIELDS_MAX] = {
    [KIND_USERS] = {"name"},
    [KIND_VHOSTS] = {"name"},
    [KIND_PERMISSIONS] = {"user", "vhost"},
    [KIND_TOPIC_PERMISSIONS] = {"user", "vhost", "exchange"},
    [KIND_GLOBAL_PARAMETERS] = {"name"},
    [KIND_PARAMETERS] = {"component", "vhost", "name"},
    [KIND_POLICIES] = {"vhost", "name"},
    [KIND_EXCHANGES] = {"vhost", "name"},
    [KIND_QUEUES] = {"vhost", "name"},
    [KIND_BINDINGS] = {"vhost", "source", "destination", "destination_type", "routing_key",
                       "arguments"},
};

/* Writes what makes the entry the same one, as bytes that can be compared. */
static void write_identity(const struct import *i, enum import_kind kind, const struct value *entry,
                           struct text *out)
{
    out->len = 0;
    for (const char *const *field = identity[kind]; *field; field++) {
        const struct value *value = value_get(entry, *field);
        if (i->only.at && strcmp(*field, "vhost") == 0)
            continue;
        if (value_kind_of(value) == VALUE_TEXT)
            text_add_bytes(out, value_bytes(value));
        else if (value_count(value) && value_write_sorted(value, out) != STATUS_OK)
            out->len = 0; /* no memory: it is found to be new */
        else if (strcmp(*field, "destination_type") == 0)
            text_printf(out, "queue"); /* what is meant when it is not said */
        text_add(out, "", 1);
    }
}

/* ---- Comparing. */

/* What a comparison of two entries knows. */
struct entry_pair {
    enum import_kind kind;
    const char *default_type; /* of a queue: the type that it has when it does not say it */
    bool inside;              /* true: objects within the entries are compared */
    const struct value *there;
    struct text different; /* names of the fields that differ: "tags, limits" */
};

static bool is_empty(const struct value *value)
{
    enum value_kind kind = value_kind_of(value);
    return kind <= VALUE_NULL ||
           ((kind == VALUE_LIST || kind == VALUE_MAP) && !value_count(value)) ||
           (kind == VALUE_TEXT && !value_bytes(value).len) ||
           (kind == VALUE_BOOL && !value_true(value));
}

/* Tags are a list, or a text with commas. */
static void write_tags(const struct value *tags, struct text *out)
{
    if (value_kind_of(tags) == VALUE_TEXT)
        text_add_bytes(out, value_bytes(tags));
    for (size_t at = 0; at < value_count(tags); at++) {
        text_printf(out, at ? "," : "");
        text_add_bytes(out, value_bytes(value_at(tags, at)));
    }
}

static bool same_tags(const struct value *a, const struct value *b)
{
    struct text one = {0}, other = {0};
    write_tags(a, &one);
    write_tags(b, &other);
    bool same = bytes_equal(text_bytes(&one), text_bytes(&other));
    text_free(&one);
    text_free(&other);
    return same;
}

static void compare_field(void *context, const char *key, const struct value *value);

/* Whether all that an object says is there; what it does not say stays as it is. */
static bool same_inside(const struct value *said, const struct value *there)
{
    struct entry_pair pair = {.inside = true, .there = there};
    value_each(said, compare_field, &pair);
    bool same = pair.different.len == 0;
    text_free(&pair.different);
    return same;
}

/* Whether the arguments of a queue are those that are there. A queue that does not say its type has
 * got its vhost's default as an argument. */
static bool same_queue_arguments(const struct entry_pair *pair, const struct value *said,
                                 const struct value *there)
{
    const struct value *type = value_get(there, QUEUE_TYPE_ARGUMENT);
    size_t unsaid = type && !value_get(said, QUEUE_TYPE_ARGUMENT) &&
                    bytes_equal_text(value_bytes(type), pair->default_type);
    return value_count(there) == value_count(said) + unsaid && same_inside(said, there);
}

/* Whether a field changes nothing: it is not known, or it is not carried out. */
static bool is_idle(const struct entry_pair *pair, const char *key)
{
    static const char *const idle[] = {"vhost", "node", "properties_key", NULL};
    if (pair->inside)
        return false;
    for (const char *const *one = idle; *one; one++)
        if (strcmp(*one, key) == 0)
            return true;
    if (pair->kind == KIND_QUEUES && strcmp(key, "type") == 0)
        return true; /* the arguments say it */
    return !import_knows_key(pair->kind, key);
}

static void compare_field(void *context, const char *key, const struct value *value)
{
    static const char *const partial[] = {"metadata", "limits", "value", NULL};
    struct entry_pair *pair = context;
    const struct value *there = value_get(pair->there, key);
    bool same = is_idle(pair, key) || (is_empty(value) && is_empty(there)) ||
                value_equal(value, there) || (strcmp(key, "tags") == 0 && same_tags(value, there));
    if (!same && pair->default_type && strcmp(key, "arguments") == 0)
        same = same_queue_arguments(pair, value, there);
    for (const char *const *one = partial; !same && !pair->inside && *one; one++)
        same = strcmp(*one, key) == 0 && value_kind_of(value) == VALUE_MAP &&
               pair->kind != KIND_GLOBAL_PARAMETERS && same_inside(value, there);
    if (!same)
        text_printf(&pair->different, "%s%.60s", pair->different.len ? ", " : "", key);
}

/* Queues and exchanges must say all that is there: what they do not say is false or empty. */
static void compare_unsaid(struct entry_pair *pair, const struct value *entry)
{
    static const char *const fields[] = {"durable", "auto_delete", "internal", "arguments", NULL};
    for (const char *const *field = fields; *field; field++)
        if (!value_get(entry, *field))
            compare_field(pair, *field, NULL);
}

static struct bytes text_of(const struct value *entry, const char *key)
{
    const struct value *value = value_get(entry, key);
    return value_kind_of(value) == VALUE_TEXT ? value_bytes(value) : bytes_of(NULL, 0);
}

static void note(struct import *i, struct problems *problems, uint32_t index,
                 const struct value *entry, const char *why)
{
    enum import_kind kind = i->section;
    const char *name = kind == KIND_BINDINGS                                        ? "destination"
                       : kind == KIND_PERMISSIONS || kind == KIND_TOPIC_PERMISSIONS ? "user"
                                                                                    : "name";
    problems_add(problems, &i->arena,
                 (struct problem){bytes_of_text(import_kinds[kind]), index, text_of(entry, name),
                                  text_of(entry, "vhost"), why});
}

/* An entry whose identity is there already. */
static void judge_known(struct import *i, uint32_t index, const struct value *entry,
                        const struct value *there)
{
    enum import_kind kind = i->section;
    bool fixed = kind == KIND_QUEUES || kind == KIND_EXCHANGES;
    struct entry_pair pair = {.kind = kind, .there = there};
    char why[PROBLEM_WHY_BYTES_MAX];
    if (kind == KIND_QUEUES)
        pair.default_type =
            queue_type_name(i->places[i->lists[STEP_QUEUES].place[index]]->default_queue_type);
    value_each(entry, compare_field, &pair);
    if (fixed)
        compare_unsaid(&pair, entry);
    snprintf(why, sizeof why, "%s: %.*s",
             fixed ? "is there with other properties, and stays as it is" : "changed",
             BYTES_PRINT(text_bytes(&pair.different)));
    if (!pair.different.len)
        i->preview.unchanged[kind]++;
    else if (!fixed)
        i->preview.changed[kind]++;
    if (pair.different.len)
        note(i, fixed ? &i->preview.conflicts : &i->preview.changes, index, entry, why);
    text_free(&pair.different);
}

/* Returns true when the import would pass the entry over, or leave it out. */
static bool is_passed(const struct import *i, const struct value *entry, uint32_t index)
{
    struct bytes component = value_bytes(value_get(entry, "component"));
    if (i->section == KIND_PARAMETERS && bytes_equal_text(component, "vhost-limits"))
        return false;
    for (unsigned step = 0; step < STEP_COUNT; step++)
        if (import_step_kinds[step] == (enum import_kind)i->section)
            return i->lists[step].place[index] == NO_PLACE;
    return false;
}

static void judge_entry(struct import *i, const struct value *entry, uint32_t index)
{
    if (is_passed(i, entry, index))
        return;
    write_identity(i, i->section, entry, &i->preview.key);
    const struct value *there = map_get(&i->preview.there, text_bytes(&i->preview.key));
    if (there) {
        judge_known(i, index, entry, there);
        return;
    }
    i->preview.created[i->section]++;
    note(i, &i->preview.changes, index, entry, "created");
    /* A second entry of the same identity is no second one. */
    map_put(&i->preview.there, arena_keep(&i->arena, text_bytes(&i->preview.key)),
            (void *)(uintptr_t)entry);
}

/* ---- All lists. */

static void answer_preview(struct request *r)
{
    const struct import *i = r->work;
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_bool(&a, "dry_run", true);
    import_write_counts(&a, "created", i->preview.created);
    import_write_counts(&a, "changed", i->preview.changed);
    import_write_counts(&a, "unchanged", i->preview.unchanged);
    problems_write(&i->preview.changes, &a, "changes", "changes_more");
    problems_write(&i->preview.conflicts, &a, "conflicts", "conflicts_more");
    import_write_left_out(&a, i);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* Learns what is there of the section's kind, then judges the file's entries of it. */
static void judge_portion(struct request *r)
{
    struct import *i = r->work;
    for (uint32_t budget = IMPORT_PORTION; i->section < KIND_COUNT;) {
        const char *key = import_kinds[i->section];
        const struct value *list = value_get(i->preview.judging ? i->file : r->json, key);
        bool of_node = i->only.at && i->section <= KIND_GLOBAL_PARAMETERS;
        for (; !of_node && i->at < value_count(list); i->at++) {
            if (budget-- == 0) {
                request_later(r, judge_portion);
                return;
            }
            const struct value *entry = value_at(list, i->at);
            if (i->preview.judging) {
                judge_entry(i, entry, i->at);
                continue;
            }
            write_identity(i, i->section, entry, &i->preview.key);
            map_put(&i->preview.there, arena_keep(&i->arena, text_bytes(&i->preview.key)),
                    (void *)(uintptr_t)entry);
        }
        i->at = 0;
        if (i->preview.judging) {
            map_free(&i->preview.there);
            i->preview.there = (struct map){0};
            i->section++;
        }
        i->preview.judging = !i->preview.judging;
    }
    answer_preview(r);
}

static void parsed(struct request *r)
{
    struct import *i = r->work;
    i->section = 0;
    i->at = 0;
    judge_portion(r);
}

/* What is there has been gathered. */
static void exported(struct request *r, struct exporting *e)
{
    struct import *i = r->work;
    struct answer a = {0};
    exporting_write(r, e, &a);
    exporting_end(e);
    if (a.text.len > ADMIN_IMPORT_BYTES_MAX) {
        answer_free(&a);
        respond_no_room(r);
        return;
    }
    i->file = r->json;
    r->json = NULL;
    r->body = a.text;
    body_parse(r, parsed);
}

void import_preview(struct request *r)
{
    struct import *i = r->work;
    i->preview.exporting.one_vhost = i->only.at != NULL;
    i->preview.exporting.vhost = i->only;
    i->preview.exporting.done = exported;
    exporting_gather(r, &i->preview.exporting);
}

void import_preview_free(struct import *i)
{
    exporting_end(&i->preview.exporting);
    problems_free(&i->preview.changes);
    problems_free(&i->preview.conflicts);
    map_free(&i->preview.there);
    text_free(&i->preview.key);
    if (i->file)
        value_free(&i->file);
}
