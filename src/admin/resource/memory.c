/* Part of the api: what the broker's memory is used for, in RabbitMQ's parts. Among the totals
 * erlang is what the account counts, and allocated is what is resident without the program. */
#include "admin/resource/node.h"

#include <math.h>

#include "admin/json/answer.h"
#include "admin/metrics/memory_figures.h"

void memory_told(struct answer *a, const struct admin *admin)
{
    struct memory_figures figures;
    memory_figures(admin, &figures);
    answer_object(a, "memory");
    for (unsigned part = 0; part < MEMORY_PART_COUNT; part++)
        answer_uint(a, memory_part_name((enum memory_part)part), figures.parts[part]);
    answer_text(a, "strategy", "rss");
    answer_object(a, "total");
    answer_uint(a, "erlang", figures.counted);
    answer_uint(a, "rss", figures.resident);
    answer_uint(a, "allocated", figures.allocated);
    answer_end(a);
    answer_end(a);
}

/* Writes what the account counts, by its kinds, which are finer than RabbitMQ's parts. */
static void write_kinds(struct answer *a, const struct account *account)
{
    answer_object(a, "counted");
    for (unsigned i = 0; i < ACCOUNT_KIND_COUNT; i++) {
        enum account_kind kind = (enum account_kind)i;
        answer_uint(a, account_kind_name(kind), account_bytes(account, kind));
    }
    answer_end(a);
}

static void get_memory(struct request *r)
{
    struct answer a = {0};
    if (!request_names_node(r, r->args[0]))
        return;
    answer_object(&a, NULL);
    memory_told(&a, r->admin);
    write_kinds(&a, node_account(r->admin->options.node));
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* In whole percents of the resident memory, as RabbitMQ tells it. */
static void get_relative_memory(struct request *r)
{
    struct memory_figures figures;
    struct answer a = {0};
    if (!request_names_node(r, r->args[0]))
        return;
    memory_figures(r->admin, &figures);
    answer_object(&a, NULL);
    answer_object(&a, "memory");
    for (unsigned part = 0; part < MEMORY_PART_COUNT; part++) {
        double share =
            figures.resident ? (double)figures.parts[part] * 100 / (double)figures.resident : 0;
        answer_uint(&a, memory_part_name((enum memory_part)part), (uint64_t)ceil(share));
    }
    answer_uint(&a, "total", 100);
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* ---- Routes. */

const struct route api_memory[] = {
    {METHOD_GET, "/api/nodes/:n/memory", get_memory, ACCESS_MONITORING, BODY_SMALL},
    {METHOD_GET, "/api/nodes/:n/memory/relative", get_relative_memory, ACCESS_MONITORING,
     BODY_SMALL},
    ROUTES_END,
};
