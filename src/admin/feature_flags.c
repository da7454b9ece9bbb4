/* RabbitMQ's feature flags whose meaning holds here, which clients ask for before they use a
 * feature. None of them can be switched off. stream_queue is among them for what came to RabbitMQ
 * with it: dead-lettering at least once and the API's level, which NServiceBus requires by this
 * flag; queues of type stream are refused when they are declared. */
#include "handlers.h"

static const struct {
    const char *name, *description;
} flags[] = {
    {"empty_basic_get_metric", "Count AMQP basic.get on empty queues in stats"},
    {"implicit_default_bindings",
     "Default bindings are implicit, instead of being stored in the database"},
    {"quorum_queue", "Support queues of type quorum"},
    {"stream_queue", "Support what queues of type stream brought besides them"},
    {"user_limits", "Configure connection and channel limits for a user"},
    {"virtual_host_metadata", "Virtual host metadata (description, tags)"},
};

void api_feature_flags(struct request *r)
{
    struct answer a = {0};
    answer_array(&a, NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        answer_object(&a, NULL);
        answer_text(&a, "name", flags[i].name);
        answer_text(&a, "desc", flags[i].description);
        answer_text(&a, "doc_url", "");
        answer_text(&a, "provided_by", "leveret");
        answer_text(&a, "stability", "stable");
        answer_text(&a, "state", "enabled");
        answer_end(&a);
    }
    answer_end(&a);
    reply_json(r, 200, &a);
}
