/* Part of the api: what the JSON of a vhost says of it: a request's body, or an entry of
 * definitions. Thread: the main thread. */
#ifndef LEVERET_ADMIN_VHOST_FACTS_H
#define LEVERET_ADMIN_VHOST_FACTS_H

#include "admin/json/form.h"
#include "leveret/auth/auth.h"
#include "leveret/broker/queue_type.h"

struct vhost_facts {
    struct vhost_entry entry; /* all but the name; it has views into the JSON and into tags */
    struct text tags;         /* zero-ended */
};

/* Reads description, tags, default_queue_type and protected_from_deletion, each beside the name or
 * within metadata, and tracing. What the JSON does not say stays as it is in before; before is NULL
 * for a new vhost, which then has no texts, the node's queue type (of_node), no tracing and no
 * protection. What is wrong is noted in the form. Free with api_vhost_facts_free. */
void api_vhost_facts_read(struct form *form, const struct vhost_entry *before,
                          enum queue_type of_node, struct vhost_facts *out);
void api_vhost_facts_free(struct vhost_facts *facts);

/* Reads the default queue type alone. */
enum queue_type api_vhost_facts_queue_type(struct form *form, const struct vhost_entry *before,
                                           enum queue_type of_node);

#endif
