/* What memory is held for, by kind: RabbitMQ's shape with the kinds of our account.
 *
 * connection_readers, connection_writers and connection_other are RabbitMQ's names. other_system is
 * what is resident and not in the account: code, the broker's own tables, what the allocator keeps.
 * Of the totals, erlang is what the account counts, and allocated what is resident. */
#include "admin/resource/node.h"

#include "admin/json/answer.h"
#include "admin/metrics/process.h"

struct memory_figures {
    uint64_t kinds[ACCOUNT_KIND_COUNT];
    uint64_t rss, counted, other;
};

static void read_figures(const struct admin *admin, struct memory_figures *out)
{
    const struct account *account = node_account(admin->options.node);
    struct process_figures process;
    process_figures(&process);
    *out = (struct memory_figures){.rss = process.resident_bytes};
    for (unsigned kind = 0; kind < ACCOUNT_KIND_COUNT; kind++) {
        out->kinds[kind] = account_bytes(account, (enum account_kind)kind);
        out->counted += out->kinds[kind];
    }
    out->other = out->rss > out->counted ? out->rss - out->counted : 0;
}

/* Writes the kinds and what is in none of them, as shown() shows each figure. */
static void write_kinds(struct answer *a, const struct memory_figures *figures,
                        uint64_t (*shown)(uint64_t bytes, uint64_t rss))
{
    for (unsigned kind = 0; kind < ACCOUNT_KIND_COUNT; kind++)
        answer_uint(a, account_kind_name((enum account_kind)kind),
                    shown(figures->kinds[kind], figures->rss));
    answer_uint(a, "other_system", shown(figures->other, figures->rss));
}

static uint64_t in_bytes(uint64_t bytes, uint64_t rss)
{
    (void)rss;
    return bytes;
}

static void get_memory(struct request *r)
{
    struct memory_figures figures;
    struct answer a = {0};
    if (!request_names_node(r, r->args[0]))
        return;
    read_figures(r->admin, &figures);
    answer_object(&a, NULL);
    answer_object(&a, "memory");
    write_kinds(&a, &figures, in_bytes);
    answer_object(&a, "total");
    answer_uint(&a, "rss", figures.rss);
    answer_uint(&a, "allocated", figures.rss);
    answer_uint(&a, "erlang", figures.counted);
    answer_end(&a);
    answer_text(&a, "strategy", "rss");
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

/* Whole percents of the resident set, as RabbitMQ says them. */
static uint64_t percent(uint64_t bytes, uint64_t rss)
{
    return rss ? (uint64_t)((double)bytes * 100 / (double)rss + 0.5) : 0;
}

static void get_relative_memory(struct request *r)
{
    struct memory_figures figures;
    struct answer a = {0};
    if (!request_names_node(r, r->args[0]))
        return;
    read_figures(r->admin, &figures);
    answer_object(&a, NULL);
    answer_object(&a, "memory");
    write_kinds(&a, &figures, percent);
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
