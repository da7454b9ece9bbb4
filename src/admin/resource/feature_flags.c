/* Part of the api: feature flags. These are the flags of RabbitMQ whose features Leveret has;
 * clients ask for them before they use one. None can be switched off: their stability is
 * "required". There are no flags of RabbitMQ's clusters, its store or its internals. stream_queue
 * is there because of what came to RabbitMQ with it: dead-lettering at least once, and the level of
 * the API that NServiceBus looks for by this flag. A queue of the type stream is refused when it is
 * declared. */
#include "admin/resource/about.h"

#include "admin/json/answer.h"

static const struct {
    const char *name, *description;
} flags[] = {
    {"detailed_queues_endpoint", "The list of queues with all that is told of them"},
    {"drop_unroutable_metric", "Count unroutable publishes to be dropped in stats"},
    {"empty_basic_get_metric", "Count AMQP basic.get on empty queues in stats"},
    {"implicit_default_bindings",
     "Default bindings are implicit, instead of being stored in the database"},
    {"message_containers_deaths_v2", "Cycles of dead letters are found by all their deaths"},
    {"quorum_queue", "Support queues of type quorum"},
    {"rabbit_exchange_type_local_random", "Exchanges of type x-local-random"},
    {"stream_queue", "Support what queues of type stream brought besides them"},
    {"user_limits", "Configure connection and channel limits for a user"},
    {"virtual_host_metadata", "Virtual host metadata (description, tags)"},
};

static void list_flags(struct request *r)
{
    struct answer a = {0};
    answer_array(&a, NULL);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        answer_object(&a, NULL);
        answer_text(&a, "name", flags[i].name);
        answer_text(&a, "desc", flags[i].description);
        answer_text(&a, "doc_url", "");
        answer_text(&a, "provided_by", "leveret");
        answer_text(&a, "stability", "required");
        answer_text(&a, "require_level", "hard");
        answer_text(&a, "experiment_level", "supported");
        answer_text(&a, "state", "enabled");
        answer_array(&a, "callbacks");
        answer_end(&a);
        answer_end(&a);
    }
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* Succeeds for every flag that there is: all are enabled already. */
static void enable_flag(struct request *r)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (bytes_equal_text(r->args[0], flags[i].name)) {
            respond_empty(r, 204);
            return;
        }
    respond_bad_request(r, "unsupported");
}

/* ---- Routes. */

const struct route api_feature_flags[] = {
    {METHOD_GET, "/api/feature-flags", list_flags, ACCESS_USER, BODY_SMALL},
    {METHOD_PUT, "/api/feature-flags/:f/enable", enable_flag, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
