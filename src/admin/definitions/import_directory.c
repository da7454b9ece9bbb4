/* Part of import: storing users, vhosts, limits, permissions and global parameters in the directory
 * (auth), after they have been checked.
 *
 * Normal course: a portion of entries is stored with one write to the disk, in one turn of the
 * loop. What can go wrong: an entry fails although it was checked, since something has changed
 * meanwhile (the answer tells it, and the rest goes on); a write fails (nothing of the portion is
 * stored, and the import ends). */
#include "admin/definitions/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/resource/global_parameters.h"
#include "admin/resource/limits.h"
#include "admin/resource/users.h"
#include "admin/resource/vhosts.h"
#include "leveret/auth/topic_permissions.h"

/* ---- One entry, in the batch that is open. Each returns false when the entry is not stored. */

static void failed(struct request *r, const char *list, uint32_t index, const char *name,
                   enum status status, const char *why)
{
    import_failed(r, list, index, bytes_of_text(name), bytes_of(NULL, 0),
                  why && *why ? why : status_text(status));
}

static bool put_user(struct request *r, const struct value *entry, uint32_t index)
{
    struct import *i = r->work;
    struct form form = form_of(entry);
    const char *name = form_text(&form, "name", "");
    bool created;
    enum status status =
        api_user_from_json(r->admin->options.auth, name, &form, i->hashing, &created);
    if (status == STATUS_OK)
        status = api_limits_from_json(r->admin, LIMITED_USER, name, &form, "limits");
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
    enum status status =
        api_vhost_from_json(r->admin, name, &form, r->by_control ? "" : r->user, &created, &error);
    if (status == STATUS_OK)
        status = api_limits_from_json(r->admin, LIMITED_VHOST, name, &form, "limits");
    if (status != STATUS_OK)
        failed(r, "vhosts", index, name, status, error ? error : form.wrong);
    free(error);
    return status == STATUS_OK;
}

/* RabbitMQ exports the limits of vhosts among the parameters. */
static bool put_vhost_limits(struct request *r, const struct value *entry, uint32_t index)
{
    const struct import *i = r->work;
    struct form form = form_of(entry);
    const char *vhost = i->only.at ? (const char *)i->only.at : form_text(&form, "vhost", "");
    if (strcmp(form_text(&form, "component", ""), "vhost-limits") != 0)
        return false; /* an operator policy, which import_vhost.c sends to its vhost and counts
                         then; or a component that is not known, which is left out */
    enum status status = api_limits_from_json(r->admin, LIMITED_VHOST, vhost, &form, "value");
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

static bool put_topic_permission(struct request *r, const struct value *entry, uint32_t index)
{
    struct form form = form_of(entry);
    const struct topic_permission permission = {
        .user = form_text(&form, "user", ""),
        .vhost = form_text(&form, "vhost", ""),
        .exchange = form_text(&form, "exchange", ""),
        .write = form_text(&form, "write", ""),
        .read = form_text(&form, "read", ""),
    };
    char *error = NULL;
    bool created;
    enum status status =
        auth_put_topic_permission(r->admin->options.auth, &permission, &created, &error);
    if (status != STATUS_OK)
        failed(r, "topic_permissions", index, permission.user, status, error);
    free(error);
    return status == STATUS_OK;
}

static bool put_global_parameter(struct request *r, const struct value *entry, uint32_t index)
{
    struct form form = form_of(entry);
    const char *name = form_text(&form, "name", "");
    bool created;
    enum status status =
        api_global_parameter_from_json(r->admin->options.auth, name, &form, &created);
    if (status != STATUS_OK)
        failed(r, "global_parameters", index, name, status, form.wrong);
    return status == STATUS_OK;
}

/* ---- All entries. */

/* Vhosts of a portion: fewer than of other entries, since each has files to be opened. */
#define VHOSTS_PORTION 16u

static const struct {
    enum import_kind kind;
    bool (*put)(struct request *r, const struct value *entry, uint32_t index);
    uint32_t portion;  /* entries that are stored with one write */
    bool of_node;      /* true: ignored in the definitions of one vhost */
    const char *vhost; /* the entry's key that names the vhost which it changes; NULL: none */
} sections[] = {
    {KIND_USERS, put_user, IMPORT_PORTION, true, NULL},
    {KIND_VHOSTS, put_vhost, VHOSTS_PORTION, true, "name"},
    {KIND_PARAMETERS, put_vhost_limits, IMPORT_PORTION, false, "vhost"},
    {KIND_PERMISSIONS, put_permission, IMPORT_PORTION, true, NULL},
    {KIND_TOPIC_PERMISSIONS, put_topic_permission, IMPORT_PORTION, true, NULL},
    {KIND_GLOBAL_PARAMETERS, put_global_parameter, IMPORT_PORTION, true, NULL},
};
#define SECTIONS (sizeof sections / sizeof *sections)

/* After a portion is written: tells the owners of vhosts what has changed, and deletes new vhosts
 * that could not be stored. */
static void settle_vhosts(struct request *r, const struct value *list, uint32_t from, uint32_t to)
{
    const struct import *i = r->work;
    const struct admin_options *o = &r->admin->options;
    const char *key = sections[i->section].vhost;
    for (uint32_t at = from; key && at < to; at++) {
        struct bytes vhost = value_bytes(value_get(value_at(list, at), key));
        if (i->only.at)
            vhost = i->only;
        if (auth_vhost_exists(o->auth, vhost))
            node_tune_vhost(o->node, o->auth, vhost);
        else if (node_delete_vhost(o->node, vhost, NULL, NULL) == STATUS_OK)
            log_line(o->log, LOG_WARNING, "http", "vhost '%.255s' could not be stored",
                     (const char *)vhost.at);
    }
}

/* Stores a portion. Returns false when it could not be written, and has answered. */
static bool put_portion(struct request *r, const struct value *list)
{
    struct import *i = r->work;
    struct auth *auth = r->admin->options.auth;
    size_t count = value_count(list), to = i->at + sections[i->section].portion;
    uint32_t from = i->at, done = 0;
    auth_begin(auth);
    for (; i->at < to && i->at < count; i->at++)
        done += sections[i->section].put(r, value_at(list, i->at), i->at);
    enum status status = auth_commit(auth);
    settle_vhosts(r, list, from, i->at);
    if (status != STATUS_OK) {
        failed(r, import_kinds[sections[i->section].kind], from, "", status, NULL);
        import_end(r);
        return false;
    }
    i->done[sections[i->section].kind] += done;
    return true;
}

void import_directory(struct request *r)
{
    struct import *i = r->work;
    for (; i->section < SECTIONS; i->section++, i->at = 0) {
        const struct value *list = value_get(r->json, import_kinds[sections[i->section].kind]);
        if (i->at >= value_count(list) || (i->only.at && sections[i->section].of_node))
            continue;
        if (put_portion(r, list))
            request_later(r, import_directory);
        return;
    }
    import_vhosts(r);
}
