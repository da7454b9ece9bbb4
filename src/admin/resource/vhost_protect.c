/* Part of the api: the protection of vhosts from deletion. An operator sets and clears a mark, so
 * that no vhost with all its messages is deleted by mistake. It binds the API, and so leveretctl. A
 * user who may delete a vhost may also clear its mark. */
#include "admin/resource/vhosts.h"

static void protect(struct request *r, bool on)
{
    const char *name = (const char *)r->args[0].at;
    struct auth *auth = r->admin->options.auth;
    struct vhost_entry entry;
    bool created;
    if (!auth_find_vhost(auth, r->args[0], &entry)) {
        respond_not_found(r);
        return;
    }
    entry.protected_from_deletion = on;
    enum status status = auth_put_vhost(auth, &entry, &created);
    if (status != STATUS_OK) {
        respond_status(r, status, NULL);
        return;
    }
    log_line(r->admin->options.log, LOG_INFO, "http",
             "vhost '%s' is %sprotected from deletion: '%s'", name, on ? "" : "no longer ",
             r->user);
    respond_empty(r, 204);
}

static void protect_vhost(struct request *r)
{
    protect(r, true);
}

static void unprotect_vhost(struct request *r)
{
    protect(r, false);
}

bool api_vhost_may_be_deleted(struct request *r)
{
    struct vhost_entry entry;
    struct text text = {0};
    if (!auth_find_vhost(r->admin->options.auth, r->args[0], &entry)) {
        respond_not_found(r);
        return false;
    }
    if (!entry.protected_from_deletion)
        return true;
    text_printf(&text,
                "Refusing to delete virtual host '%s' because it is protected from deletion%c",
                entry.name, '\0');
    respond_error(r, 412, "precondition_failed", (const char *)text.at);
    text_free(&text);
    return false;
}

/* ---- Routes. */

const struct route api_vhost_protect[] = {
    {METHOD_POST, "/api/vhosts/:v/deletion/protection", protect_vhost, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_DELETE, "/api/vhosts/:v/deletion/protection", unprotect_vhost, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    ROUTES_END,
};
