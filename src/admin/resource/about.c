/* Small answers about the whole broker, and requests to it that are done at once. */
#include "admin/resource/handlers.h"

/* The version of the dialect, as a JSON string; our own is in /api/overview. */
void api_version_get(struct request *r)
{
    struct answer a = {0};
    answer_text(&a, NULL, r->admin->options.rabbitmq_version);
    respond_json(r, 200, &a);
}

void api_auth_settings(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_bool(&a, "enable_uaa", false);
    answer_bool(&a, "oauth_enabled", false);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* The salted hash that a definitions file or PUT /api/users/NAME takes as password_hash. */
void api_auth_hash_password(struct request *r)
{
    struct answer a = {0};
    char hash[AUTH_HASH_TEXT_BYTES];
    if (auth_hash_password(r->args[0], hash) != STATUS_OK) {
        respond_error(r, 500, "internal_error", "the password cannot be hashed");
        return;
    }
    answer_object(&a, NULL);
    answer_text(&a, "ok", hash);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* All queues have their only member here. */
void api_rebalance_queues(struct request *r)
{
    respond_empty(r, 204);
}

/* Rates begin anew; what the broker counts goes on. */
void api_reset(struct request *r)
{
    samples_forget(r->admin->samples);
    respond_empty(r, 204);
}

void api_reset_node(struct request *r)
{
    if (request_names_node(r, r->args[0]))
        api_reset(r);
}
