/* Part of the api: what the broker's memory is used for. The answer has the shape of RabbitMQ's,
 * with the account's kinds of memory.
 *
 * connection_readers, connection_writers and connection_other are RabbitMQ's names. other_system is
 * memory that is resident and that the account does not count: code, the broker's own tables, what
 * the allocator keeps. Among the totals erlang is what the account counts, and allocated is what is
 * resident. */
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

/* Writes the memory of each kind and of none; shown says how a figure is told. */
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

/* In whole percents of the resident memory, as RabbitMQ tells it. */
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
