/* Part of the api: what the JSON of a vhost says of it. See vhost_facts.h. */
#include "admin/resource/vhost_facts.h"

#include "admin/resource/details.h"

#define QUEUE_TYPE "default_queue_type"
#define PROTECTED  "protected_from_deletion"

/* Reads the default type from one of the two places where it may stand; *out stays as it is when
 * that one says nothing. Exports of RabbitMQ before 4.0 say "undefined" for the node's type. */
static void read_queue_type(struct form *form, enum queue_type *out)
{
    enum queue_type type;
    if (value_kind_of(value_get(form->object, QUEUE_TYPE)) <= VALUE_NULL)
        return;
    const char *name = form_text(form, QUEUE_TYPE, "undefined");
    if (strcmp(name, "undefined") == 0)
        return;
    if (!*name)
        form_refuse(form, QUEUE_TYPE, "must not be an empty string");
    else if (!queue_type_read(bytes_of_text(name), &type))
        form_refuse(form, QUEUE_TYPE, "%.80s is not a valid queue type", name);
    else if (type == QUEUE_STREAM)
        form_refuse(form, QUEUE_TYPE,
                    "queues of type 'stream' cannot be made yet, so it cannot be the default");
    else
        *out = type;
}

static struct form metadata_of(struct form *form)
{
    return form_of(form_map(form, "metadata"));
}

static bool is_said(struct form *form, struct form *meta, const char *key)
{
    return form_has(form, key) || form_has(meta, key);
}

static enum queue_type queue_type_of(struct form *form, struct form *meta,
                                     const struct vhost_entry *before, enum queue_type of_node)
{
    enum queue_type type = of_node;
    if (before && !is_said(form, meta, QUEUE_TYPE))
        (void)queue_type_read(bytes_of_text(before->default_queue_type), &type);
    read_queue_type(meta, &type);
    read_queue_type(form, &type);
    return type;
}

enum queue_type api_vhost_facts_queue_type(struct form *form, const struct vhost_entry *before,
                                           enum queue_type of_node)
{
    struct form meta = metadata_of(form);
    return queue_type_of(form, &meta, before, of_node);
}

void api_vhost_facts_read(struct form *form, const struct vhost_entry *before,
                          enum queue_type of_node, struct vhost_facts *out)
{
    struct form meta = metadata_of(form);
    struct form *tagged = form_has(form, "tags") ? form : &meta;
    *out = (struct vhost_facts){.tags = {0}};
    out->entry.description = form_text(
        form, "description", form_text(&meta, "description", before ? before->description : ""));
    out->entry.tracing = form_bool(form, "tracing", before && before->tracing);
    out->entry.protected_from_deletion = form_bool(
        form, PROTECTED, form_bool(&meta, PROTECTED, before && before->protected_from_deletion));
    if (before && !is_said(form, &meta, "tags"))
        text_add_bytes(&out->tags, bytes_of_text(before->tags));
    else
        api_tags_read(tagged, "tags", &out->tags);
    if (out->tags.len > AUTH_TAGS_BYTES_MAX)
        form_refuse(form, "tags", "longer than %u bytes", AUTH_TAGS_BYTES_MAX);
    if (strlen(out->entry.description) > AUTH_DESCRIPTION_BYTES_MAX)
        form_refuse(form, "description", "longer than %u bytes", AUTH_DESCRIPTION_BYTES_MAX);
    text_add(&out->tags, "", 1);
    out->entry.tags = (const char *)out->tags.at;
    out->entry.default_queue_type = queue_type_name(queue_type_of(form, &meta, before, of_node));
    if (!form_ok(&meta))
        form_refuse(form, "metadata", "%s", meta.wrong);
}

void api_vhost_facts_free(struct vhost_facts *facts)
{
    text_free(&facts->tags);
}
