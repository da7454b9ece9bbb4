/* Part of the api: attempts to log in, by protocol and by the address and user that they came from.
 */
#include "admin/resource/about.h"

#include <stdlib.h>

#include "admin/json/answer.h"
#include "admin/listing/listing.h"

static void write_counts(struct answer *a, enum attempt_protocol protocol,
                         const struct attempts_counts *counts)
{
    answer_text(a, "protocol", attempts_protocol_name(protocol));
    answer_uint(a, "auth_attempts", counts->all);
    answer_uint(a, "auth_attempts_failed", counts->failed);
    answer_uint(a, "auth_attempts_succeeded", counts->all - counts->failed);
}

static void list_attempts(struct request *r)
{
    struct answer a = {0};
    if (r->args[0].len && !request_names_node(r, r->args[0]))
        return;
    answer_array(&a, NULL);
    for (unsigned i = 0; i < ATTEMPT_PROTOCOLS; i++) {
        struct attempts_counts counts;
        attempts_totals(auth_attempts(r->admin->options.auth), (enum attempt_protocol)i, &counts);
        if (counts.all == 0)
            continue;
        answer_object(&a, NULL);
        write_counts(&a, (enum attempt_protocol)i, &counts);
        answer_end(&a);
    }
    answer_end(&a);
    respond_json(r, 200, &a);
}

static void render_source(struct request *r, struct answer *a, const struct row *row)
{
    const struct attempts_source *source = row->info;
    (void)r;
    answer_text(a, "remote_address", source->address);
    answer_bytes(a, "username", bytes_of(source->user, source->user_len));
    write_counts(a, source->protocol, &source->counts);
}

static const struct listing_kind listing_sources = {.render = render_source};

static void list_sources(struct request *r)
{
    size_t count;
    if (!request_names_node(r, r->args[0]))
        return;
    struct listing *listing = listing_new(r, &listing_sources);
    struct attempts_source *sources =
        attempts_sources(auth_attempts(r->admin->options.auth), &count);
    const struct attempts_source *kept = listing_keep(listing, sources, count * sizeof *sources);
    free(sources);
    for (size_t i = 0; i < count; i++)
        listing_add(listing, bytes_of("", 0), &kept[i]);
    listing_write(r, listing);
}

static void reset_attempts(struct request *r)
{
    if (!request_names_node(r, r->args[0]))
        return;
    attempts_reset(auth_attempts(r->admin->options.auth));
    respond_empty(r, 204);
}

/* ---- Routes. */

const struct route api_auth_attempts[] = {
    {METHOD_GET, "/api/auth/attempts", list_attempts, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/auth/attempts/:n", list_attempts, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_DELETE, "/api/auth/attempts/:n", reset_attempts, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/auth/attempts/:n/source", list_sources, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_DELETE, "/api/auth/attempts/:n/source", reset_attempts, ACCESS_MONITORING, BODY_SMALL},
    ROUTES_END,
};
