/* What would happen: see trials.h.
 *
 *   POST /api/exchanges/:v/:x/route {"routing_key", "headers"}
 *     {"count": 2, "queues": ["a", "b"]}
 *   POST /api/policies/:v/:n/preview and operator-policies, with the body that PUT takes
 *     {"matched", "wins", "changed", "objects": [{"kind", "name", "policy", "new_policy",
 *      "definition", "new_definition"}]}
 *
 * Normal course: the vhost's owner is asked, for a policy again and again until all objects have
 * been looked at. What can go wrong: there is no such exchange (404), the policy is not valid
 * (400).
 */
#include "admin/resource/trials.h"

#include <stdlib.h>

#include "admin/http/body.h"
#include "admin/json/answer.h"
#include "admin/json/arguments.h"
#include "admin/resource/policy_json.h"
#include "leveret/broker/publication.h"
#include "leveret/broker/trial.h"
#include "leveret/wire/properties.h"

/* Queues and objects that an answer names; it counts those beyond. */
#define QUEUES_SHOWN_MAX  1000u
#define OBJECTS_SHOWN_MAX 100u

/* ---- Routes. */

struct route_trial {
    struct bytes exchange;
    struct message *message;
    struct answer answer;
    enum status status;
    uint64_t count;
};

static void free_route_trial(void *work)
{
    struct route_trial *t = work;
    message_unref(&t->message);
    answer_free(&t->answer);
    free(t);
}

static void name_queue(void *context, struct bytes queue)
{
    answer_bytes(context, NULL, queue);
}

static void ask_route(struct vhost *vhost, void *argument)
{
    struct route_trial *t = argument;
    t->status = vhost_try_route(vhost, t->exchange, t->message, QUEUES_SHOWN_MAX, name_queue,
                                &t->answer, &t->count);
}

static void route_tried(struct request *r)
{
    struct route_trial *t = r->work;
    if (t->status != STATUS_OK) {
        respond_not_found(r);
        return;
    }
    answer_end(&t->answer);
    answer_uint(&t->answer, "count", t->count);
    answer_end(&t->answer);
    struct answer answer = t->answer;
    t->answer = (struct answer){0};
    respond_json(r, 200, &answer);
}

/* Makes the message that is tried. Returns false when it cannot be made, and has answered. */
static bool make_message(struct request *r, struct route_trial *t)
{
    struct form form = body_form(r);
    struct text headers = {0}, encoded = {0};
    char why[PUBLICATION_WHY_MAX] = "";
    struct bytes key = form_name(&form, "routing_key", bytes_of("", 0));
    form_table(&form, "headers", &headers);
    const struct properties properties = {.present = headers.len ? PROPERTY_HEADERS : 0,
                                          .headers = text_bytes(&headers)};
    bool good = body_ok(r, &form);
    if (good) {
        properties_encode(&properties, &encoded);
        const struct publication publication = {.exchange = t->exchange,
                                                .routing_key = key,
                                                .properties = text_bytes(&encoded),
                                                .body_bytes_max = UINT64_MAX,
                                                .user = r->user};
        good = publication_message(&publication, &t->message, why) == STATUS_OK;
        if (!good)
            respond_bad_request(r, "%s", why);
    }
    text_free(&headers);
    text_free(&encoded);
    return good;
}

static void try_route(struct request *r)
{
    struct route_trial *t = request_work(r, sizeof *t, free_route_trial);
    t->exchange = request_exchange(r, 1);
    if (!make_message(r, t))
        return;
    answer_object(&t->answer, NULL);
    answer_array(&t->answer, "queues");
    request_ask(r, request_vhost(r), ask_route, t, route_tried);
}

/* ---- Policies. */

struct preview {
    struct policy_trial *trial;
    struct answer answer; /* the objects */
    bool more;            /* true while objects have not been looked at */
    uint64_t matched, wins, changed;
};

static void free_preview(void *work)
{
    struct preview *p = work;
    policy_trial_free(&p->trial);
    answer_free(&p->answer);
    free(p);
}

static void note_outcome(void *context, const struct policy_outcome *outcome)
{
    struct preview *p = context;
    struct answer *a = &p->answer;
    p->matched += outcome->fits;
    p->wins += outcome->wins;
    p->changed += outcome->changes;
    if (!outcome->changes || p->changed > OBJECTS_SHOWN_MAX)
        return;
    answer_object(a, NULL);
    answer_text(a, "kind", outcome->is_queue ? "queue" : "exchange");
    answer_bytes(a, "name", outcome->name);
    answer_bytes(a, "policy", outcome->policy);
    answer_bytes(a, "new_policy", outcome->new_policy);
    arguments_write(a, "definition", outcome->definition);
    arguments_write(a, "new_definition", outcome->new_definition);
    answer_end(a);
}

static void ask_policy(struct vhost *vhost, void *argument)
{
    struct preview *p = argument;
    p->more = vhost_try_policy(vhost, p->trial, note_outcome, p);
}

static void policy_tried(struct request *r)
{
    struct preview *p = r->work;
    if (p->more) {
        request_ask(r, request_vhost(r), ask_policy, p, policy_tried);
        return;
    }
    struct answer answer = p->answer;
    p->answer = (struct answer){0};
    answer_end(&answer);
    answer_uint(&answer, "matched", p->matched);
    answer_uint(&answer, "wins", p->wins);
    answer_uint(&answer, "changed", p->changed);
    answer_end(&answer);
    respond_json(r, 200, &answer);
}

static void preview(struct request *r, bool operator_policy)
{
    struct preview *p = request_work(r, sizeof *p, free_preview);
    struct command command = {.u.policy = {.operator_policy = operator_policy, .name = r->args[1]}};
    struct text definition, why = {0};
    bool good = api_policy_from_json(r->json, &command, &definition, &why) &&
                policy_trial_new(&command, &p->trial, &why) == STATUS_OK;
    if (!good)
        respond_bad_request(r, "%s", (const char *)why.at);
    text_free(&definition);
    text_free(&why);
    if (!good)
        return;
    answer_object(&p->answer, NULL);
    answer_array(&p->answer, "objects");
    request_ask(r, request_vhost(r), ask_policy, p, policy_tried);
}

static void preview_policy(struct request *r)
{
    preview(r, false);
}

static void preview_operator_policy(struct request *r)
{
    preview(r, true);
}

/* ---- Routes. */

const struct route api_trials[] = {
    {METHOD_POST, "/api/exchanges/:v/:x/route", try_route, ACCESS_VHOST, BODY_SMALL},
    {METHOD_POST, "/api/policies/:v/:n/preview", preview_policy, ACCESS_POLICYMAKER, BODY_SMALL},
    {METHOD_POST, "/api/operator-policies/:v/:n/preview", preview_operator_policy,
     ACCESS_ADMINISTRATOR, BODY_SMALL},
    ROUTES_END,
};
