/* Part of the api: small answers about the whole broker, and requests to it that are done at once.
 */
#include "admin/resource/about.h"

#include "admin/json/answer.h"
#include "admin/sampling/sampler.h"

/* RabbitMQ's version that clients are told, as a JSON string. Leveret's own is in /api/overview. */
static void get_version(struct request *r)
{
    struct answer a = {0};
    answer_text(&a, NULL, r->admin->options.rabbitmq_version);
    respond_json(r, 200, &a);
}

static void get_auth_settings(struct request *r)
{
    struct answer a = {0};
    answer_object(&a, NULL);
    answer_bool(&a, "enable_uaa", false);
    answer_text(&a, "uaa_client_id", "");
    answer_text(&a, "uaa_location", "");
    answer_bool(&a, "oauth_enabled", false);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* A salted hash of a password, as definitions and PUT /api/users/NAME take it for password_hash. */
static void hash_password(struct request *r)
{
    struct answer a = {0};
    char hash[AUTH_HASH_TEXT_BYTES];
    if (auth_hash_password(r->admin->options.auth, r->args[0], hash) != STATUS_OK) {
        respond_error(r, 500, "internal_error", "the password cannot be hashed");
        return;
    }
    answer_object(&a, NULL);
    answer_text(&a, "ok", hash);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* There is nothing to do: each queue has its only member on this node. */
static void rebalance_queues(struct request *r)
{
    respond_empty(r, 204);
}

/* Rates begin anew. The counters themselves are not reset. */
static void reset_rates(struct request *r)
{
    sampler_reset(r->admin);
    respond_empty(r, 204);
}

static void reset_rates_of_node(struct request *r)
{
    if (request_names_node(r, r->args[0]))
        reset_rates(r);
}

/* ---- Routes. */

const struct route api_about[] = {
    {METHOD_GET, "/api/version", get_version, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/extensions", respond_empty_list, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/deprecated-features", respond_empty_list, ACCESS_USER, BODY_SMALL},
    {METHOD_GET, "/api/deprecated-features/used", respond_empty_list, ACCESS_USER, BODY_SMALL},
    {METHOD_POST, "/api/rebalance/queues", rebalance_queues, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/reset", reset_rates, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_DELETE, "/api/reset/:n", reset_rates_of_node, ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_GET, "/api/auth", get_auth_settings, ACCESS_ANYBODY, BODY_SMALL},
    {METHOD_GET, "/api/auth/hash_password/:p", hash_password, ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
