/* Labels of objects. */
#include "admin/metrics/object_labels.h"

#include "admin/listing/listed_queue.h"

static void add(struct exposition *out, const char *words)
{
    text_add(&out->text, words, strlen(words));
}

/* name: "queue", or ",queue" behind another label. */
static void add_label(struct exposition *out, const char *name, struct bytes value)
{
    add(out, name);
    add(out, "=\"");
    exposition_label(out, value);
    add(out, "\"");
}

static void add_channel(struct exposition *out, const struct channel_info *c)
{
    add(out, "channel=\"");
    exposition_label(out, c->peer_name);
    add(out, " (");
    text_add_number(&out->text, c->number);
    add(out, ")\"");
}

void object_labels(struct exposition *out, enum family_object object, const struct row *row)
{
    const struct session_info *session = row->info;
    switch (object) {
    case FAMILY_QUEUE:
        add_label(out, "vhost", row->vhost);
        add_label(out, ",queue", ((const struct queue_info *)row->info)->name);
        break;
    case FAMILY_EXCHANGE:
        add_label(out, "vhost", row->vhost);
        add_label(out, ",exchange", ((const struct exchange_info *)row->info)->name);
        break;
    case FAMILY_CHANNEL:
        add_channel(out, row->info);
        add_label(out, ",vhost", row->vhost);
        break;
    default:
        /* RabbitMQ's label of a connection is "channel", too. */
        add_label(out, "channel", session->name);
        add_label(out, ",connection", session->name);
    }
}

void object_more_labels(struct exposition *out, enum family_labels labels, const struct row *row)
{
    if (labels == LABELS_TYPE) {
        add_label(out, ",type", ((const struct exchange_info *)row->info)->type);
    } else if (labels == LABELS_QUEUE_TYPE) {
        const struct queue_info *q = row->info;
        bool quorum = listed_queue_is_quorum(q);
        add_label(out, ",queue_type",
                  bytes_of_text(quorum ? "rabbit_quorum_queue" : "rabbit_classic_queue"));
        add_label(out, ",membership", bytes_of_text("leader"));
    } else if (labels == LABELS_QUEUE_VHOST) {
        add_label(out, ",queue_vhost", row->vhost);
    }
}
