/* Global parameters: see parameters.h.
 *
 * Normal course: a change is checked and staged with its record, like any other change of the
 * directory. What can go wrong: there are too many parameters, or they are too large together: the
 * change is refused; parameters staged in the same batch count. */
#include "leveret/auth/parameters.h"

#include <stdio.h>

#include "leveret/base/mem.h"
#include "leveret/base/random.h"
#include "staged.h"

struct parameter *parameter_new(const char *name, const char *json)
{
    char *text;
    size_t len;
    if (auth_record_value(json, &text, &len) != STATUS_OK)
        return NULL;
    struct parameter *parameter = mem_need(sizeof *parameter);
    parameter->name = mem_need_text(name, strlen(name));
    parameter->json = mem_need_text(json, strlen(json));
    parameter->text = text;
    return parameter;
}

void parameter_free(struct parameter **parameter)
{
    struct parameter *p = *parameter;
    *parameter = NULL;
    if (!p)
        return;
    free(p->name);
    free(p->json);
    free(p->text);
    free(p);
}

static size_t size_of(const struct parameter *parameter)
{
    return strlen(parameter->name) + strlen(parameter->json);
}

/* ---- Checks. */

static unsigned depth_of(const char *json)
{
    unsigned depth = 0, deepest = 0;
    bool in_string = false;
    for (; *json; json++) {
        if (*json == '"')
            in_string = !in_string;
        else if (in_string)
            json += *json == '\\' && json[1];
        else if (*json == '[' || *json == '{')
            deepest = ++depth > deepest ? depth : deepest;
        else if (*json == ']' || *json == '}')
            depth--;
    }
    return deepest;
}

/* Whether json is a cluster's name: a text that is neither empty nor too long for clients and
 * listings. */
static bool names_cluster(const char *json)
{
    char *text = NULL;
    size_t len;
    bool good = auth_record_value(json, &text, &len) == STATUS_OK && text && len &&
                len <= CLUSTER_NAME_BYTES_MAX && strlen(text) == len;
    free(text);
    return good;
}

const char *auth_check_parameter(const char *name, const char *json)
{
    if (!*name || strlen(name) > AUTH_NAME_MAX || !auth_record_is_text(name))
        return "its name has 1 to 255 bytes";
    if (strlen(json) > PARAMETER_BYTES_MAX)
        return "its value has at most 65536 bytes";
    if (depth_of(json) > PARAMETER_DEPTH_MAX)
        return "its value nests at most 64 deep";
    if (strcmp(name, PARAMETER_CLUSTER_NAME) == 0 && !names_cluster(json))
        return "the name of a cluster is a string of 1 to 255 bytes";
    /* RabbitMQ writes an empty set of tags as []. */
    if (strcmp(name, PARAMETER_CLUSTER_TAGS) == 0 && *json != '{' && strcmp(json, "[]") != 0)
        return "the tags of a cluster are an object";
    return NULL;
}

/* ---- Changing. */

/* Counts the parameters and their bytes after all that is staged, without the one of this name. */
static void count(const struct auth *auth, const char *but, size_t *number, size_t *bytes)
{
    const struct map *kinds[] = {&auth->parameters, &auth->staged_by_key[ENTRY_PARAMETER]};
    const struct parameter *p;
    *number = *bytes = 0;
    for (size_t at = 0; (p = map_next(kinds[0], &at));) {
        if (strcmp(p->name, but) == 0 || map_get(kinds[1], bytes_of_text(p->name)))
            continue;
        *number += 1;
        *bytes += size_of(p);
    }
    for (size_t at = 0; (p = staged_next(auth, ENTRY_PARAMETER, &at));) {
        if (strcmp(p->name, but) == 0)
            continue;
        *number += 1;
        *bytes += size_of(p);
    }
}

enum status auth_put_parameter(struct auth *auth, const char *name, const char *json, bool *created)
{
    struct text record = {0};
    size_t number, bytes;
    *created = false;
    if (auth_check_parameter(name, json))
        return STATUS_MALFORMED;
    count(auth, name, &number, &bytes);
    if (number >= PARAMETERS_MAX || bytes + strlen(name) + strlen(json) > PARAMETERS_BYTES_MAX)
        return STATUS_LIMIT;
    struct auth_record_member members[] = {{"json", json, 0}};
    struct parameter *parameter = parameter_new(name, json);
    enum status status = parameter ? auth_record_write(members, 1, &record) : STATUS_MALFORMED;
    if (status != STATUS_OK) {
        parameter_free(&parameter);
        return status;
    }
    bool existed = staged_find(auth, ENTRY_PARAMETER, bytes_of_text(name)) != NULL;
    staged_put(auth, ENTRY_PARAMETER, bytes_of_text(parameter->name), parameter, &record,
               "parameter.set");
    status = staged_end(auth);
    *created = status == STATUS_OK && !existed;
    return status;
}

enum status auth_delete_parameter(struct auth *auth, const char *name)
{
    const struct parameter *parameter = map_get(&auth->parameters, bytes_of_text(name));
    if (!parameter)
        return STATUS_NOT_FOUND;
    staged_remove(auth, ENTRY_PARAMETER, bytes_of_text(parameter->name), "parameter.cleared");
    return staged_end(auth);
}

enum status auth_identify_cluster(struct auth *auth)
{
    char json[64], random[2 * 16 + 1];
    bool created;
    if (auth_parameter(auth, PARAMETER_CLUSTER_ID))
        return STATUS_OK;
    random_hex(random, 16);
    snprintf(json, sizeof json, "\"leveret-cluster-id-%s\"", random);
    return auth_put_parameter(auth, PARAMETER_CLUSTER_ID, json, &created);
}

enum status auth_tag_cluster(struct auth *auth, const struct auth_tag *tags, size_t count)
{
    const char *now = auth_parameter(auth, PARAMETER_CLUSTER_TAGS);
    struct auth_record_member *members = mem_need((count + 1) * sizeof *members);
    struct text json = {0};
    bool created;
    for (size_t i = 0; i < count; i++)
        members[i] = (struct auth_record_member){tags[i].name, tags[i].value, 0};
    enum status status = auth_record_write(members, count, &json);
    text_add(&json, "", 1);
    if (status == STATUS_OK && count && !(now && strcmp((const char *)json.at, now) == 0))
        status = auth_put_parameter(auth, PARAMETER_CLUSTER_TAGS, (const char *)json.at, &created);
    text_free(&json);
    free(members);
    return status;
}

/* ---- Asking. */

const char *auth_parameter(const struct auth *auth, const char *name)
{
    const struct parameter *parameter = map_get(&auth->parameters, bytes_of_text(name));
    return parameter ? parameter->json : NULL;
}

const char *auth_parameter_text(const struct auth *auth, const char *name)
{
    const struct parameter *parameter = map_get(&auth->parameters, bytes_of_text(name));
    return parameter ? parameter->text : NULL;
}

void auth_each_parameter(const struct auth *auth,
                         void (*each)(void *context, const char *name, const char *json),
                         void *context)
{
    const struct parameter *parameter;
    for (size_t at = 0; (parameter = map_next(&auth->parameters, &at));)
        each(context, parameter->name, parameter->json);
}

bool auth_cluster_name(const struct auth *auth, char out[CLUSTER_NAME_BYTES_MAX + 1])
{
    auth_read_lock(auth);
    const struct parameter *parameter =
        map_get(&auth->parameters, BYTES_LITERAL(PARAMETER_CLUSTER_NAME));
    bool named = parameter && parameter->text && strlen(parameter->text) <= CLUSTER_NAME_BYTES_MAX;
    if (named)
        memcpy(out, parameter->text, strlen(parameter->text) + 1);
    auth_unlock(auth);
    return named;
}
