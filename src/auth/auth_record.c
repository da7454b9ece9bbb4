/* Records as JSON, with jansson.
 *
 * What can go wrong: a value that is not an object, or has a member of another type, is CORRUPT,
 * and the broker does not start: guessing permissions would be worse. */
#include "auth_record.h"

#include <jansson.h>

#include "leveret/base/check.h"
#include "leveret/base/mem.h"

enum status auth_record_write(const struct auth_record_member *members, size_t count,
                              struct text *out)
{
    enum status status = STATUS_MALFORMED;
    char *written = NULL;
    json_t *object = json_object();
    if (!object)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        json_t *value =
            members[i].text ? json_string(members[i].text) : json_integer(members[i].number);
        if (!value || json_object_set_new(object, members[i].name, value) != 0)
            goto end;
    }
    written = json_dumps(object, JSON_COMPACT);
    if (!written)
        goto end;
    text_add(out, written, strlen(written));
    status = STATUS_OK;
end:
    free(written);
    json_decref(object);
    return status;
}

static bool read_member(const json_t *object, struct auth_record_member *member, char **text)
{
    const json_t *value = json_object_get(object, member->name);
    if (member->text) {
        if (value && !json_is_string(value))
            return false;
        const char *got = value ? json_string_value(value) : "";
        *text = mem_need_text(got, strlen(got));
        return true;
    }
    if (value && !json_is_integer(value) && !json_is_boolean(value))
        return false;
    member->number = json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
    return true;
}

enum status auth_record_read(struct bytes value, struct auth_record_member *members, size_t count)
{
    char *texts[AUTH_RECORD_MEMBERS_MAX] = {0};
    bool good = true;
    CHECK(count <= AUTH_RECORD_MEMBERS_MAX);

    json_t *object = json_loadb((const char *)value.at, value.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(object))
        good = false;
    for (size_t i = 0; good && i < count; i++)
        good = read_member(object, &members[i], &texts[i]);
    json_decref(object);
    for (size_t i = 0; i < count; i++) {
        if (good && members[i].text)
            members[i].text = texts[i];
        else
            free(texts[i]);
    }
    return good ? STATUS_OK : STATUS_CORRUPT;
}

void auth_record_free(struct auth_record_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((char *)(uintptr_t)members[i].text);
        members[i].text = NULL;
    }
}

bool auth_record_is_text(const char *text)
{
    json_t *value = json_string(text);
    json_decref(value);
    return value != NULL;
}

enum status auth_record_value(const char *json, char **text, size_t *len)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    *len = json_string_length(value);
    *text = json_is_string(value) ? mem_need_text(json_string_value(value), *len) : NULL;
    json_decref(value);
    return value ? STATUS_OK : STATUS_MALFORMED;
}

/* ---- Arrays of objects. */

static json_t *row_of(const struct auth_record_member *members, size_t columns)
{
    json_t *row = json_object();
    for (size_t i = 0; row && i < columns; i++) {
        if (json_object_set_new(row, members[i].name, json_string(members[i].text)) != 0) {
            json_decref(row);
            return NULL;
        }
    }
    return row;
}

enum status auth_record_write_rows(const struct auth_record_member *rows, size_t count,
                                   size_t columns, struct text *out)
{
    json_t *array = json_array();
    bool good = array != NULL;
    for (size_t i = 0; good && i < count; i++)
        good = json_array_append_new(array, row_of(&rows[i * columns], columns)) == 0;
    char *written = good ? json_dumps(array, JSON_COMPACT) : NULL;
    json_decref(array);
    if (!written)
        return STATUS_MALFORMED;
    text_add(out, written, strlen(written));
    free(written);
    return STATUS_OK;
}

enum status auth_record_read_rows(struct bytes value, const char *const *names, size_t columns,
                                  enum status (*each)(void *context, const char *const *texts),
                                  void *context)
{
    const char *texts[AUTH_RECORD_MEMBERS_MAX];
    CHECK(columns <= AUTH_RECORD_MEMBERS_MAX);
    json_t *array = json_loadb((const char *)value.at, value.len, JSON_REJECT_DUPLICATES, NULL);
    enum status status = json_is_array(array) ? STATUS_OK : STATUS_CORRUPT;
    for (size_t at = 0; status == STATUS_OK && at < json_array_size(array); at++) {
        for (size_t i = 0; i < columns; i++) {
            texts[i] = json_string_value(json_object_get(json_array_get(array, at), names[i]));
            if (!texts[i])
                status = STATUS_CORRUPT;
        }
        if (status == STATUS_OK)
            status = each(context, texts);
    }
    json_decref(array);
    return status;
}
