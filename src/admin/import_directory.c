/* Definitions into the directory: users, vhosts, limits, permissions, after they have been checked.
 *
 * Normal course: a portion of users, limits or permissions is one write to the disk and one turn of
 * the loop, a vhost is a turn of its own. What can go wrong: an entry fails that the check let pass
 * (something was changed meanwhile): it is told, the rest goes on; a write fails: nothing of the
 * portion is there, and the import ends. */
#include "import.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- One entry, in the batch that is open. False: it failed and is told. */

static void failed(struct request *r, const char *list, uint32_t index, const char *name,
                   enum status status, const char *why)
{
    struct import *i = r->work;
    problem_add(&i->failed, list, index, bytes_of_text(name), bytes_of(NULL, 0),
                why && *why ? why : status_text(status));
}

static bool put_user(struct request *r, const struct value *entry, uint32_t index)
{
    struct import *i = r->work;
    struct form form = form_of(entry);
    const char *name = form_text(&form, "name", "");
    bool created;
    enum status status = user_from_json(r->admin->options.auth, name, &form, i->hashing, &created);
    if (status == STATUS_OK)
        status = limits_from_json(r->admin, LIMITED_USER, name, &form, "limits");
    if (status != STATUS_OK)
        failed(r, "users", index, name, status, form.wrong);
    return status == STATUS_OK;
}

static bool put_vhost(struct request *r, const struct value *entry, uint32_t index)
{
    struct form form = form_of(entry);
    const char *name = form_text(&form, "name", "");
    char *error = NULL;
    bool created;
    enum status status = vhost_from_json(r->admin, name, &form, r->user, &created, &error);
    if (status == STATUS_OK)
        status = limits_from_json(r->admin, LIMITED_VHOST, name, &form, "limits");
    if (status != STATUS_OK)
        failed(r, "vhosts", index, name, status, error ? error : form.wrong);
    free(error);
    return status == STATUS_OK;
}

/* RabbitMQ's export has the limits of vhosts among the parameters. */
static bool put_vhost_limits(struct request *r, const struct value *entry, uint32_t index)
{
    const struct import *i = r->work;
    struct form form = form_of(entry);
    const char *vhost = i->only.at ? (const char *)i->only.at : form_text(&form, "vhost", "");
    if (strcmp(form_text(&form, "component", ""), "vhost-limits") != 0)
        return false; /* an operator policy, which is counted when its vhost has it */
    enum status status = limits_from_json(r->admin, LIMITED_VHOST, vhost, &form, "value");
    if (status != STATUS_OK)
        failed(r, "parameters", index, vhost, status, form.wrong);
    return status == STATUS_OK;
}

static bool put_permission(struct request *r, const struct value *entry, uint32_t index)
{
    struct form form = form_of(entry);
    const char *user = form_text(&form, "user", ""), *vhost = form_text(&form, "vhost", "");
    char *error = NULL;
    bool created;
    enum status status = auth_put_permission(
        r->admin->options.auth, user, vhost, form_text(&form, "configure", ""),
        form_text(&form, "write", ""), form_text(&form, "read", ""), &created, &error);
    if (status != STATUS_OK)
        failed(r, "permissions", index, user, status, error);
    free(error);
    return status == STATUS_OK;
}

/* ---- All of them. */

static const struct {
    const char *key;
    bool (*put)(struct request *r, const struct value *entry, uint32_t index);
    bool batch;   /* true: a portion is one write */
    bool of_node; /* true: not in the definitions of one vhost */
} sections[] = {
    {"users", put_user, true, true},
    {"vhosts", put_vhost, false, true},
    {"parameters", put_vhost_limits, true, false},
    {"permissions", put_permission, true, true},
};
#define SECTIONS (sizeof sections / sizeof *sections)

/* The owners of vhosts learn of limits once they are stored. */
static void tune(struct request *r, const struct value *list, uint32_t from, uint32_t to)
{
    const struct import *i = r->work;
    for (uint32_t at = from; at < to; at++) {
        struct bytes vhost =
            i->only.at ? i->only : value_bytes(value_get(value_at(list, at), "vhost"));
        node_tune_vhost(r->admin->options.node, r->admin->options.auth, vhost);
    }
}

/* Puts a portion; false: it could not be stored, and answered so. */
static bool put_portion(struct request *r, const struct value *list)
{
    struct import *i = r->work;
    struct auth *auth = r->admin->options.auth;
    bool batch = sections[i->section].batch;
    size_t count = value_count(list), to = i->at + (batch ? IMPORT_PORTION : 1u);
    uint32_t from = i->at, done = 0;
    if (batch)
        auth_begin(auth);
    for (; i->at < to && i->at < count; i->at++)
        done += sections[i->section].put(r, value_at(list, i->at), i->at);
    enum status status = batch ? auth_commit(auth) : STATUS_OK;
    if (status != STATUS_OK) {
        failed(r, sections[i->section].key, from, "", status, NULL);
        import_end(r);
        return false;
    }
    i->done += done;
    if (sections[i->section].put == put_vhost_limits)
        tune(r, list, from, i->at);
    return true;
}

void import_directory(struct request *r)
{
    struct import *i = r->work;
    for (; i->section < SECTIONS; i->section++, i->at = 0) {
        const struct value *list = value_get(r->json, sections[i->section].key);
        if (i->at >= value_count(list) || (i->only.at && sections[i->section].of_node))
            continue;
        if (put_portion(r, list))
            request_later(r, import_directory);
        return;
    }
    import_vhosts(r);
}
