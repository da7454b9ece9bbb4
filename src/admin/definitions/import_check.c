/* Part of import: the check of all entries of a file, before anything is changed.
 *
 * Normal course: each list is checked in portions. The names of users, vhosts, exchanges and queues
 * are remembered, and each entry gets the check that it would get in a request or a command. The
 * ends of bindings are noted; import_bindings.c checks them last. What can go wrong: entries are
 * wrong; all problems are collected, so that an operator sees more than the first one. Entries are
 * of a kind that is not known here and restrict nothing: they are left out, and the answer tells
 * it.
 *
 * An entry that restricts or routes, in a way that Leveret does not have, is an error: if it were
 * left out silently a user could do more than was meant, or messages would be lost. */
#include "admin/definitions/import.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/resource/global_parameters.h"
#include "admin/resource/limits.h"
#include "admin/resource/users.h"
#include "admin/resource/vhost_facts.h"
#include "admin/resource/vhosts.h"
#include "leveret/auth/topic_permissions.h"
#include "leveret/base/map.h"
#include "leveret/base/mem.h"
#include "leveret/broker/verdict.h"

/* ---- Names. */

/* The type of queues that do not say theirs: of the vhost in the file, or else of the one that the
 * broker has. */
static enum queue_type default_queue_type(struct request *r, struct bytes vhost)
{
    const struct import *i = r->work;
    const struct value *in_file = map_get(&i->vhosts, vhost);
    const struct node *node = r->admin->options.node;
    struct vhost_entry entry;
    bool exists = auth_find_vhost(r->admin->options.auth, vhost, &entry);
    if (!in_file)
        return node_queue_type(node, exists ? entry.default_queue_type : "");
    struct form form = form_of(in_file);
    return api_vhost_facts_queue_type(&form, exists ? &entry : NULL, node_default_queue_type(node));
}

static struct import_place *place_of(struct request *r, struct bytes name)
{
    struct import *i = r->work;
    struct import_place *place = map_get(&i->places_by_name, name);
    if (place)
        return place;
    place = mem_need(sizeof *place);
    struct text text = {0};
    text_add_bytes(&text, name);
    text_add(&text, "", 1);
    place->name = arena_keep(&i->arena, text_bytes(&text));
    place->name.len = name.len;
    text_free(&text);
    place->number = i->place_count;
    place->exists = auth_vhost_exists(r->admin->options.auth, name);
    place->default_queue_type = default_queue_type(r, name);
    if (i->place_count == i->place_room) {
        i->place_room = i->place_room ? 2 * i->place_room : 8;
        i->places = mem_need_array(i->places, i->place_room, sizeof *i->places);
    }
    i->places[i->place_count++] = place;
    map_put(&i->places_by_name, place->name, place);
    return place;
}

struct import_object *import_object_of(struct import *i, bool exchange, uint32_t place,
                                       struct bytes name)
{
    struct text key = {0};
    text_printf(&key, "%c%08x", exchange ? 'x' : 'q', place);
    size_t skip = key.len;
    text_add_bytes(&key, name);
    struct import_object *object = map_get(&i->objects, text_bytes(&key));
    if (!object) {
        /* The key lives as long as the object, which has a view into it. */
        struct bytes kept = arena_keep(&i->arena, text_bytes(&key));
        object = arena_object(&i->arena, sizeof *object);
        object->exchange = exchange;
        object->place = place;
        object->name = bytes_of(kept.at + skip, kept.len - skip);
        map_put(&i->objects, kept, object);
    }
    text_free(&key);
    return object;
}

static struct bytes no_bytes(void)
{
    return bytes_of(NULL, 0);
}

/* ---- Users, vhosts, permissions. */

typedef void check_entry(struct request *r, const struct value *entry, uint32_t index);

static bool name_fits(struct form *form, const char *key, const char *name)
{
    if (name && (!*name || strlen(name) > AUTH_NAME_MAX))
        form_refuse(form, key, "has 1 to %u bytes", AUTH_NAME_MAX);
    return form_ok(form);
}

static void check_user(struct request *r, const struct value *entry, uint32_t index)
{
    static const char *const keys[] = {"name", "tags", NULL};
    struct import *i = r->work;
    struct form form = form_of(entry);
    form_need(&form, keys);
    const char *name = form_text(&form, "name", NULL);
    if (name_fits(&form, "name", name))
        api_user_check(&form, i->hashing);
    api_limits_check(LIMITED_USER, &form, "limits");
    if (!form_ok(&form))
        import_wrong(r, "users", index, bytes_of_text(name ? name : ""), no_bytes(), form.wrong);
    else
        map_put(&i->users, bytes_of_text(name), i);
}

static void check_vhost(struct request *r, const struct value *entry, uint32_t index)
{
    static const char *const keys[] = {"name", NULL};
    struct import *i = r->work;
    struct form form = form_of(entry);
    form_need(&form, keys);
    const char *name = form_text(&form, "name", NULL);
    if (name_fits(&form, "name", name))
        api_vhost_check(&form);
    api_limits_check(LIMITED_VHOST, &form, "limits");
    if (!form_ok(&form))
        import_wrong(r, "vhosts", index, bytes_of_text(name ? name : ""), no_bytes(), form.wrong);
    else
        map_put(&i->vhosts, bytes_of_text(name), (void *)(uintptr_t)entry);
}

/* Returns true when the vhost is in the file, or the broker has it; otherwise notes the error. */
static bool vhost_known(struct request *r, struct form *form, const char *vhost)
{
    const struct import *i = r->work;
    if (vhost && form_ok(form) && !map_get(&i->vhosts, bytes_of_text(vhost)) &&
        !auth_vhost_exists(r->admin->options.auth, bytes_of_text(vhost)))
        form_refuse(form, "vhost", "there is no vhost '%.80s', here or in the file", vhost);
    return form_ok(form);
}

/* Whether the user and the vhost of a permission are there or in the file; if not, the form is
 * wrong. */
static void check_grantee(struct request *r, struct form *form, const char *user, const char *vhost)
{
    const struct import *i = r->work;
    char tags[1];
    if (vhost_known(r, form, vhost) && !map_get(&i->users, bytes_of_text(user)) &&
        !auth_user_tags(r->admin->options.auth, bytes_of_text(user), tags, sizeof tags))
        form_refuse(form, "user", "there is no user '%.80s', here or in the file", user);
}

static void check_permission(struct request *r, const struct value *entry, uint32_t index)
{
    static const char *const keys[] = {"user", "vhost", "configure", "write", "read", NULL};
    struct form form = form_of(entry);
    char *error = NULL;
    form_need(&form, keys);
    const char *user = form_text(&form, "user", NULL), *vhost = form_text(&form, "vhost", NULL),
               *texts[3];
    for (size_t j = 0; j < 3; j++)
        texts[j] = form_text(&form, keys[2 + j], "");
    check_grantee(r, &form, user, vhost);
    if (form_ok(&form) && auth_check_permission(texts[0], texts[1], texts[2], &error) != STATUS_OK)
        form_refuse(&form, "permission", "%s", error ? error : "not a regular expression");
    free(error);
    if (!form_ok(&form))
        import_wrong(r, "permissions", index, bytes_of_text(user ? user : ""),
                     vhost ? bytes_of_text(vhost) : no_bytes(), form.wrong);
}

static void check_topic_permission(struct request *r, const struct value *entry, uint32_t index)
{
    static const char *const keys[] = {"user", "vhost", "exchange", "write", "read", NULL};
    char *error = NULL;
    struct form form = form_of(entry);
    form_need(&form, keys);
    const char *user = form_text(&form, "user", ""), *vhost = form_text(&form, "vhost", "");
    const char *write = form_text(&form, "write", ""), *read = form_text(&form, "read", "");
    (void)form_name(&form, "exchange", no_bytes());
    check_grantee(r, &form, user, vhost);
    if (form_ok(&form) && auth_check_topic_permission(write, read, &error) != STATUS_OK)
        form_refuse(&form, "topic permission", "%s", error ? error : "not a regular expression");
    free(error);
    if (!form_ok(&form))
        import_wrong(r, "topic_permissions", index, bytes_of_text(user), bytes_of_text(vhost),
                     form.wrong);
}

static void check_global_parameter(struct request *r, const struct value *entry, uint32_t index)
{
    static const char *const keys[] = {"name", "value", NULL};
    struct form form = form_of(entry);
    form_need(&form, keys);
    const char *name = form_text(&form, "name", "");
    api_global_parameter_check(&form, name);
    if (!form_ok(&form))
        import_wrong(r, "global_parameters", index, bytes_of_text(name), no_bytes(), form.wrong);
}

/* ---- What is in vhosts. */

/* The entry's vhost. NULL: it names none that there is, and that is noted. */
static struct import_place *entry_place(struct request *r, enum import_step step,
                                        const struct value *entry, uint32_t index,
                                        struct bytes name)
{
    static const char *const keys[] = {"vhost", NULL};
    const struct import *i = r->work;
    if (i->only.at)
        return place_of(r, i->only);
    struct form form = form_of(entry);
    form_need(&form, keys);
    const char *vhost = form_text(&form, "vhost", NULL);
    if (vhost_known(r, &form, vhost))
        return place_of(r, bytes_of_text(vhost));
    import_wrong(r, import_step_key(step), index, name, no_bytes(), form.wrong);
    return NULL;
}

/* Writes the entry's fields as bytes that can be compared. */
static void say(const struct command *command, struct text *out)
{
    if (command->type == COMMAND_EXCHANGE_DECLARE) {
        text_printf(out, "%d%d%d %.*s ", command->u.exchange_declare.durable,
                    command->u.exchange_declare.auto_delete, command->u.exchange_declare.internal,
                    BYTES_PRINT(command->u.exchange_declare.type));
        text_add_bytes(out, command->u.exchange_declare.arguments);
    } else {
        text_printf(out, "%d%d ", command->u.queue_declare.durable,
                    command->u.queue_declare.auto_delete);
        text_add_bytes(out, command->u.queue_declare.arguments);
    }
}

/* Remembers an exchange or queue of the file; one that is wrong too, so that its bindings are not
 * called wrong as well. Returns false when the file has it already with other fields. */
static bool remember_object(struct import *i, uint32_t place, const struct command *command,
                            bool good)
{
    bool exchange = command->type == COMMAND_EXCHANGE_DECLARE;
    struct bytes name = exchange ? command->u.exchange_declare.name : command->u.queue_declare.name;
    struct import_object *object = import_object_of(i, exchange, place, name);
    struct text said = {0};
    say(command, &said);
    bool same = !object->in_file || bytes_equal(object->said, text_bytes(&said));
    if (!object->in_file)
        object->said = arena_keep(&i->arena, text_bytes(&said));
    text_free(&said);
    object->in_file = object->found = true;
    if (exchange && good && same) {
        object->type = arena_keep(&i->arena, command->u.exchange_declare.type);
        object->arguments = arena_keep(&i->arena, command->u.exchange_declare.arguments);
    }
    return same;
}

static struct bytes command_name(const struct command *command)
{
    switch (command->type) {
    case COMMAND_EXCHANGE_DECLARE:
        return command->u.exchange_declare.name;
    case COMMAND_QUEUE_DECLARE:
        return command->u.queue_declare.name;
    case COMMAND_POLICY_PUT:
        return command->u.policy.name;
    default:
        return command->u.bind.destination;
    }
}

/* Notes an end of a binding. When the file has not declared it so far the vhost's owner is asked
 * for it later. */
static void note_end(struct request *r, bool exchange, struct import_place *place,
                     struct bytes name)
{
    struct import *i = r->work;
    struct import_object *object = import_object_of(i, exchange, place->number, name);
    const char *type = exchange ? verdict_predeclared_type(name) : NULL;
    if (object->found || object->type.at)
        return;
    object->type = type ? bytes_of_text(type) : bytes_of("", 0);
    object->found = type != NULL;
    if (type || !place->exists)
        return;
    if (i->asked_count == i->asked_room) {
        i->asked_room = 2 * i->asked_room + 64;
        i->asked = mem_need_array(i->asked, i->asked_room, sizeof *i->asked);
    }
    i->asked[i->asked_count++] = object;
}

static void check_step(struct request *r, enum import_step step, const struct value *entry,
                       uint32_t index)
{
    struct import *i = r->work;
    struct command command;
    struct text table;
    char why[FORM_WRONG_BYTES_MAX];
    struct verdict verdict;
    bool read = import_command(step, entry, &command, &table, why);
    struct bytes name = command_name(&command);
    struct import_place *place = entry_place(r, step, entry, index, name);
    i->lists[step].place[index] = NO_PLACE;
    if (place && !read) {
        import_wrong(r, import_step_key(step), index, name, place->name, why);
    } else if (place && import_passes_over(step, &command)) {
        i->all--;
    } else if (place) {
        i->lists[step].place[index] = place->number;
        if (step == STEP_BINDINGS) {
            note_end(r, true, place, command.u.bind.source);
            note_end(r, command.type == COMMAND_EXCHANGE_BIND, place, command.u.bind.destination);
        } else {
            const struct verdict_vhost vhost = {place->name, place->default_queue_type};
            bool good = verdict_of(&command, &vhost, &verdict) == STATUS_OK;
            if (!good)
                import_wrong(r, import_step_key(step), index, name, place->name, verdict.text);
            if ((step == STEP_EXCHANGES || step == STEP_QUEUES) &&
                !remember_object(i, place->number, &command, good))
                import_wrong(r, import_step_key(step), index, name, place->name,
                             "the file has it before with other properties");
        }
    }
    text_free(&table);
}

static void check_policy(struct request *r, const struct value *entry, uint32_t index)
{
    check_step(r, STEP_POLICIES, entry, index);
}

static void check_exchange(struct request *r, const struct value *entry, uint32_t index)
{
    check_step(r, STEP_EXCHANGES, entry, index);
}

static void check_queue(struct request *r, const struct value *entry, uint32_t index)
{
    check_step(r, STEP_QUEUES, entry, index);
}

static void check_binding(struct request *r, const struct value *entry, uint32_t index)
{
    check_step(r, STEP_BINDINGS, entry, index);
}

/* Notes a parameter whose component is not known: of a plugin (shovel, federation-upstream). */
static void unknown_component(struct request *r, const char *component, struct bytes name,
                              uint32_t index)
{
    struct import *i = r->work;
    char why[PROBLEM_WHY_BYTES_MAX];
    bool restricts = !*component || import_restricts(component);
    snprintf(why, sizeof why, "component '%.80s' is not known here%s", component,
             restricts ? ", and may restrict" : "");
    if (restricts)
        import_wrong(r, import_kinds[KIND_PARAMETERS], index, name, no_bytes(), why);
    else
        import_left_out(r, import_kinds[KIND_PARAMETERS], index, name, no_bytes(), why);
    i->all--;
}

/* Operator policies become commands to their vhost; limits of vhosts are stored in the directory.
 */
static void check_parameter(struct request *r, const struct value *entry, uint32_t index)
{
    struct import *i = r->work;
    struct form form = form_of(entry);
    const char *component = form_text(&form, "component", "");
    const char *name = form_text(&form, "name", "");
    i->lists[STEP_PARAMETERS].place[index] = NO_PLACE;
    if (form_ok(&form) && strcmp(component, "operator_policy") == 0) {
        check_step(r, STEP_PARAMETERS, entry, index);
        return;
    }
    if (strcmp(component, "vhost-limits") != 0) {
        unknown_component(r, component, bytes_of_text(name), index);
        return;
    }
    if (entry_place(r, STEP_PARAMETERS, entry, index, bytes_of_text(name)))
        api_limits_check(LIMITED_VHOST, &form, "value");
    if (!form_ok(&form))
        import_wrong(r, "parameters", index, bytes_of_text(name), no_bytes(), form.wrong);
}

/* ---- All lists, one after the other. */

static void count_vhost(void *context, const struct vhost_entry *entry)
{
    (void)entry;
    ++*(size_t *)context;
}

/* Notes when the node would have more vhosts than it may. */
static void check_vhosts_max(struct request *r)
{
    const struct import *i = r->work;
    const struct auth *auth = r->admin->options.auth;
    const struct value *entry;
    char why[PROBLEM_WHY_BYTES_MAX];
    size_t at = 0, there = 0, made = 0;
    int64_t max;
    (void)auth_vhosts_full(auth, &max);
    auth_each_vhost(auth, count_vhost, &there);
    while ((entry = map_next(&i->vhosts, &at)))
        made += !auth_vhost_exists(auth, value_bytes(value_get(entry, "name")));
    if (max < 0 || !made || there + made <= (size_t)max)
        return;
    snprintf(why, sizeof why,
             "%zu are there and %zu are new: vhost limit of %" PRId64 " is reached", there, made,
             max);
    import_wrong(r, import_kinds[KIND_VHOSTS], NO_INDEX, no_bytes(), no_bytes(), why);
}

static const struct section {
    check_entry *check;
    bool of_node; /* true: ignored in the definitions of one vhost */
} sections[KIND_COUNT] = {
    [KIND_USERS] = {check_user, true},
    [KIND_VHOSTS] = {check_vhost, true},
    [KIND_PERMISSIONS] = {check_permission, true},
    [KIND_TOPIC_PERMISSIONS] = {check_topic_permission, true},
    [KIND_GLOBAL_PARAMETERS] = {check_global_parameter, true},
    [KIND_PARAMETERS] = {check_parameter, false},
    [KIND_POLICIES] = {check_policy, false},
    [KIND_EXCHANGES] = {check_exchange, false},
    [KIND_QUEUES] = {check_queue, false},
    [KIND_BINDINGS] = {check_binding, false},
};

static void check_portion(struct request *r)
{
    struct import *i = r->work;
    for (uint32_t budget = IMPORT_PORTION; i->section < KIND_COUNT; i->section++, i->at = 0) {
        const struct section *section = &sections[i->section];
        const char *key = import_kinds[i->section];
        const struct value *list = value_get(r->json, key);
        enum value_kind kind = value_kind_of(list);
        if (kind != VALUE_NONE && kind != VALUE_LIST) {
            respond_bad_request(r, "%s: must be a list", key);
            return;
        }
        if (i->only.at && section->of_node)
            continue;
        for (; i->at < value_count(list); i->at++) {
            if (budget-- == 0) {
                request_later(r, check_portion);
                return;
            }
            import_check_keys(r, i->section, value_at(list, i->at), i->at);
            section->check(r, value_at(list, i->at), i->at);
            i->all++;
        }
    }
    check_vhosts_max(r);
    i->asked_at = 0;
    import_bindings(r);
}

void import_check(struct request *r)
{
    import_check_file_keys(r);
    check_portion(r);
}
