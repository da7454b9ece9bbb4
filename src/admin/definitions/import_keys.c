/* Part of import: keys that are not known here, of the file and of its entries.
 *
 * Normal course: each key of an entry is one of its kind's. What can go wrong: a key is unknown. If
 * it may restrict, its entry is refused, for without it a user could do more than was meant: every
 * key of a permission, and every key whose name has one of the words below. Any other one is left
 * out, and the answer tells it. */
#include "admin/definitions/import.h"

#include <stdio.h>
#include <string.h>

/* Keys with one of these in their name restrict. */
static const char *const restricting[] = {"permission", "limit", "operator", "restrict",
                                          "protect",    "deny",  "allow",    NULL};

static const char *const user_keys[] = {
    "name", "password", "password_hash", "hashing_algorithm", "tags", "limits", NULL};
static const char *const vhost_keys[] = {
    "name",   "description", "tags", "default_queue_type", "protected_from_deletion", "tracing",
    "limits", "metadata",    NULL};
static const char *const metadata_keys[] = {
    "description", "tags", "default_queue_type", "protected_from_deletion", "tracing", NULL};
static const char *const permission_keys[] = {"user", "vhost", "configure", "write", "read", NULL};
static const char *const topic_permission_keys[] = {"user",  "vhost", "exchange",
                                                    "write", "read",  NULL};
static const char *const global_parameter_keys[] = {"name", "value", "component", NULL};
static const char *const parameter_keys[] = {"vhost", "component", "name", "value", NULL};
static const char *const policy_keys[] = {"vhost",    "name",       "pattern", "apply-to",
                                          "priority", "definition", NULL};
static const char *const exchange_keys[] = {"vhost",       "name",     "type",      "durable",
                                            "auto_delete", "internal", "arguments", NULL};
static const char *const queue_keys[] = {"vhost",       "name", "type",      "durable",
                                         "auto_delete", "node", "arguments", NULL};
static const char *const binding_keys[] = {
    "vhost",       "source",    "destination",    "destination_type",
    "routing_key", "arguments", "properties_key", NULL};

static const char *const *const keys_of[KIND_COUNT] = {
    [KIND_USERS] = user_keys,
    [KIND_VHOSTS] = vhost_keys,
    [KIND_PERMISSIONS] = permission_keys,
    [KIND_TOPIC_PERMISSIONS] = topic_permission_keys,
    [KIND_GLOBAL_PARAMETERS] = global_parameter_keys,
    [KIND_PARAMETERS] = parameter_keys,
    [KIND_POLICIES] = policy_keys,
    [KIND_EXCHANGES] = exchange_keys,
    [KIND_QUEUES] = queue_keys,
    [KIND_BINDINGS] = binding_keys,
};

/* Keys of the file itself, besides the lists: what it was written by, and the facts of a vhost in
 * the definitions of one. */
static const char *const file_keys[] = {"rabbit_version",
                                        "rabbitmq_version",
                                        "product_name",
                                        "product_version",
                                        "explanation",
                                        "rabbitmq_definition_format",
                                        "original_vhost_name",
                                        "original_cluster_name",
                                        "description",
                                        "metadata",
                                        "default_queue_type",
                                        "limits",
                                        NULL};

static bool is_in(const char *key, const char *const *keys)
{
    while (*keys && strcmp(*keys, key) != 0)
        keys++;
    return *keys != NULL;
}

bool import_knows_key(enum import_kind kind, const char *key)
{
    return is_in(key, keys_of[kind]);
}

bool import_restricts(const char *name)
{
    for (size_t i = 0; restricting[i]; i++)
        if (strcasestr(name, restricting[i]))
            return true;
    return false;
}

/* What a walk over the keys of an object knows. */
struct key_walk {
    struct request *request;
    const char *const *keys;
    const char *list;
    uint32_t index;
    struct bytes name;
    const char *inside; /* "metadata.", for the keys of such an object; or "" */
    bool restricts;     /* true: whatever the entry says restricts */
};

static void check_key(void *context, const char *key, const struct value *value)
{
    const struct key_walk *walk = context;
    char why[PROBLEM_WHY_BYTES_MAX];
    (void)value;
    if (is_in(key, walk->keys))
        return;
    bool restricts = walk->restricts || import_restricts(key);
    snprintf(why, sizeof why, "key '%s%.80s' is not known here%s", walk->inside, key,
             restricts ? ", and may restrict" : "");
    if (restricts)
        import_wrong(walk->request, walk->list, walk->index, walk->name, bytes_of(NULL, 0), why);
    else
        import_left_out(walk->request, walk->list, walk->index, walk->name, bytes_of(NULL, 0), why);
}

void import_check_keys(struct request *r, enum import_kind kind, const struct value *entry,
                       uint32_t index)
{
    const struct value *name = value_get(entry, "name");
    struct key_walk walk = {
        .request = r,
        .keys = keys_of[kind],
        .list = import_kinds[kind],
        .index = index,
        .name = value_kind_of(name) == VALUE_TEXT ? value_bytes(name) : bytes_of(NULL, 0),
        .inside = "",
        .restricts = kind == KIND_PERMISSIONS || kind == KIND_TOPIC_PERMISSIONS,
    };
    value_each(entry, check_key, &walk);
    if (kind != KIND_VHOSTS)
        return;
    walk.keys = metadata_keys;
    walk.inside = "metadata.";
    value_each(value_get(entry, "metadata"), check_key, &walk);
}

/* Notes a key of the file that is not known. */
static void check_file_key(void *context, const char *key, const struct value *value)
{
    struct request *r = context;
    const struct bytes none = bytes_of(NULL, 0);
    (void)value;
    if (is_in(key, import_kinds) || is_in(key, file_keys))
        return;
    if (import_restricts(key))
        import_wrong(r, key, NO_INDEX, none, none, "not known here, and may restrict");
    else
        import_left_out(r, key, NO_INDEX, none, none, "not known here");
}

void import_check_file_keys(struct request *r)
{
    value_each(r->json, check_file_key, r);
}
