/* Families with a line for each object.
 *
 * Normal course: the families of one kind of object are taken a few at a time. For these all
 * objects are gathered, a slice at a time, and their labels and values are kept; then the lines are
 * written, family by family, since the lines of a family must stand together. A few at a time
 * bounds what is kept, and saves gathering once for each family. For sums nothing is kept but one
 * number of each family. What can go wrong: queue_filter is no regular expression (400); the
 * account has no room for what is kept (the answer is cut off); the client reads slowly (no more is
 * written meanwhile), or leaves. */
#include "admin/metrics/objects.h"

#include <stdlib.h>

#include "admin/http/access.h"
#include "admin/http/http.h"
#include "admin/http/respond.h"
#include "admin/http/turns.h"
#include "admin/listing/gather.h"
#include "admin/listing/listed_queue.h"
#include "admin/metrics/families.h"
#include "admin/metrics/object_labels.h"
#include "admin/metrics/totals.h"
#include "leveret/base/mem.h"
#include "leveret/base/pattern.h"

/* Families of which values are kept at once: 8 bytes for each object and family. */
#define PASS_FAMILIES 10u
/* Lines that one turn of the loop writes: about half a millisecond. */
#define TURN_LINES 4000u
/* Steps that matching one name with queue_filter may take; a name that takes more does not fit. */
#define FILTER_STEPS_MAX 1000u

/* The labels of one object: where they are in `labels`. Families with further labels are alone in
 * their pass. */
struct line_labels {
    size_t at, len;
};

struct objects {
    struct gather gather;
    struct request *request;
    struct exposition out;
    enum objects_how how;
    struct bytes wanted_vhosts;    /* zero-ended names, one after the other */
    size_t vhost_at;               /* the next of them is to be gathered from */
    bool of_vhosts;                /* true: the query names vhosts */
    struct pattern *filter;        /* what names of queues must match; NULL: any */
    double sums[FAMILIES_MAX];     /* of each family of the pass */
    uint64_t totals[FAMILIES_MAX]; /* of each family of the table */

    /* The pass under way. */
    const struct family *pass[FAMILIES_MAX];
    unsigned pass_count;
    size_t family_at; /* in the table: the first one behind the pass */
    struct line_labels *lines;
    uint64_t *values; /* pass_count for each line; a capacity as the bits of a double */
    size_t line_count, line_room;
    struct text labels;
    uint64_t held_bytes; /* as the account was told */
    unsigned writing;    /* which family of the pass is written */
    size_t line_at;      /* and its next line */
};

static void drop_lines(struct objects *o)
{
    account_add(o->request->admin->account, ACCOUNT_HTTP_ANSWERS, -(int64_t)o->held_bytes);
    o->held_bytes = 0;
    o->line_count = o->line_at = o->writing = 0;
    o->labels.len = 0;
}

static void objects_free(void *work)
{
    struct objects *o = work;
    gather_free(&o->gather);
    drop_lines(o);
    text_free(&o->out.text);
    text_free(&o->labels);
    pattern_free(&o->filter);
    free((void *)(uintptr_t)o->wanted_vhosts.at);
    free(o->lines);
    free(o->values);
    free(o);
}

/* ---- Values. */

static void add(struct exposition *out, const char *words)
{
    text_add(&out->text, words, strlen(words));
}

static double capacity_of(const struct objects *o, const struct row *row)
{
    uint64_t values[QUEUE_NUMBERS];
    struct told told = {.columns = QUEUE_NUMBERS};
    const struct queue_info *q = row->info;
    if (q->consumers == 0)
        return 0;
    listed_queue_values(q, values);
    listed_queue_tell(o->request, row->vhost, q, values, 0, &told);
    double capacity = listed_queue_capacity(q, &told);
    told_free(&told);
    return capacity;
}

static void sum_row(struct objects *o, const struct row *row)
{
    for (unsigned i = 0; i < o->pass_count; i++)
        o->sums[i] += o->pass[i]->capacity ? capacity_of(o, row)
                                           : (double)family_value(o->pass[i], row->info);
}

static void keep_row(struct objects *o, const struct row *row)
{
    struct exposition labels = {.text = o->labels};
    if (o->line_count == o->line_room) {
        o->line_room = 2 * o->line_room + 1024;
        o->lines = mem_need_array(o->lines, o->line_room, sizeof *o->lines);
        o->values = mem_need_array(o->values, o->line_room, PASS_FAMILIES * sizeof *o->values);
    }
    struct line_labels *line = &o->lines[o->line_count];
    uint64_t *values = &o->values[o->line_count++ * o->pass_count];
    line->at = labels.text.len;
    object_labels(&labels, o->pass[0]->object, row);
    object_more_labels(&labels, o->pass[0]->labels, row);
    line->len = labels.text.len - line->at;
    o->labels = labels.text;
    for (unsigned i = 0; i < o->pass_count; i++) {
        double capacity;
        if (!o->pass[i]->capacity) {
            values[i] = family_value(o->pass[i], row->info);
            continue;
        }
        capacity = capacity_of(o, row);
        memcpy(&values[i], &capacity, sizeof capacity);
    }
}

/* ---- Which objects. */

static bool names_vhost(const struct objects *o, struct bytes vhost)
{
    for (size_t at = 0; at < o->wanted_vhosts.len;) {
        struct bytes name = bytes_of_text((const char *)o->wanted_vhosts.at + at);
        if (bytes_equal(name, vhost))
            return true;
        at += name.len + 1;
    }
    return false;
}

static bool fits(const struct objects *o, const struct row *row)
{
    const struct family *family = o->pass[0];
    if (family->object == FAMILY_QUEUE)
        return !o->filter ||
               pattern_matches(o->filter, ((const struct queue_info *)row->info)->name);
    if (family->object == FAMILY_CONNECTION)
        return !o->of_vhosts || names_vhost(o, ((const struct session_info *)row->info)->vhost);
    /* RabbitMQ leaves the default exchange out of the families of the cluster. */
    return !family->of_cluster || ((const struct exchange_info *)row->info)->name.len;
}

/* ---- From pass to pass. */

static void next_pass(struct objects *o);
static void gather_vhost(struct objects *o);
static void write_lines(struct request *r);

static void end(struct objects *o)
{
    exposition_end(&o->out);
    http_stream_write(o->request, &o->out.text);
    respond_streamed(o->request);
}

static void write_sums(struct objects *o)
{
    size_t count;
    const struct family *table = families(&count);
    for (unsigned i = 0; i < o->pass_count; i++) {
        exposition_family(&o->out, &o->pass[i]->metric);
        exposition_name(&o->out, o->pass[i]->metric.name, "");
        if (o->pass[i]->capacity)
            exposition_real(&o->out, o->sums[i]);
        else
            exposition_value(&o->out, o->pass[i]->sum == SUM_TOTAL ? o->totals[o->pass[i] - table]
                                                                   : (uint64_t)o->sums[i]);
    }
    next_pass(o);
}

static void write_line(struct objects *o, const struct family *family,
                       const struct line_labels *labels, uint64_t value)
{
    double capacity;
    exposition_name(&o->out, family->metric.name, "{");
    text_add(&o->out.text, o->labels.at + labels->at, labels->len);
    add(&o->out, "}");
    if (family->capacity) {
        memcpy(&capacity, &value, sizeof capacity);
        exposition_real(&o->out, capacity);
    } else {
        exposition_value(&o->out, value);
    }
}

/* Goes on in a later turn, when the client has taken most of what was written. */
static void write_on(struct objects *o)
{
    struct request *r = o->request;
    http_stream_write(r, &o->out.text);
    if (http_stream_full(r))
        http_stream_wait(r, write_lines);
    else
        request_later(r, write_lines);
}

static void write_lines(struct request *r)
{
    struct objects *o = r->work;
    size_t left = TURN_LINES;
    if (!r->http) {
        request_free(r); /* the client has left */
        return;
    }
    for (; o->writing < o->pass_count && left; o->writing++, o->line_at = 0) {
        const struct family *family = o->pass[o->writing];
        const char *prefix = o->out.prefix;
        if (family->of_cluster)
            o->out.prefix = "rabbitmq_cluster_";
        if (o->line_at == 0)
            exposition_family(&o->out, &family->metric);
        for (; o->line_at < o->line_count && left; o->line_at++, left--)
            write_line(o, family, &o->lines[o->line_at],
                       o->values[o->line_at * o->pass_count + o->writing]);
        o->out.prefix = prefix;
        if (o->line_at < o->line_count)
            break;
    }
    if (o->writing < o->pass_count) {
        write_on(o);
    } else {
        drop_lines(o);
        next_pass(o);
    }
}

/* ---- Gathering. */

static void gathered(struct request *r, struct gather *gather)
{
    struct objects *o = r->work;
    (void)gather;
    if (o->how == OBJECTS_SUMS) {
        write_sums(o);
        return;
    }
    if (o->of_vhosts && o->pass[0]->object != FAMILY_CONNECTION) {
        gather_vhost(o);
        return;
    }
    turns_give(r); /* a client that reads slowly keeps no other waiting */
    write_lines(r);
}

static void next_slice(struct request *r)
{
    struct objects *o = r->work;
    if (r->http)
        gather_go_on(r, &o->gather);
    else
        request_free(r);
}

static void slice(struct request *r, struct gather *gather)
{
    struct objects *o = r->work;
    for (size_t i = 0; i < gather->row_count; i++) {
        if (!fits(o, &gather->rows[i]))
            continue;
        if (o->how == OBJECTS_SUMS)
            sum_row(o, &gather->rows[i]);
        else
            keep_row(o, &gather->rows[i]);
    }
    uint64_t bytes =
        o->line_count * (sizeof *o->lines + o->pass_count * sizeof *o->values) + o->labels.len;
    if (!account_take(r->admin->account, ACCOUNT_HTTP_ANSWERS, bytes - o->held_bytes)) {
        respond_no_room(r);
        return;
    }
    o->held_bytes = bytes;
    next_slice(r);
}

static void gather_from(struct objects *o, const struct bytes *vhost)
{
    gather_free(&o->gather);
    o->gather = (struct gather){.kind = family_gather(o->pass[0]->object), .slice = slice};
    gather_run(o->request, &o->gather, vhost, gathered);
}

/* Gathers from the next of the vhosts that the query names; writes when there is none any more. */
static void gather_vhost(struct objects *o)
{
    if (o->vhost_at >= o->wanted_vhosts.len) {
        turns_give(o->request);
        write_lines(o->request);
        return;
    }
    struct bytes vhost = bytes_of_text((const char *)o->wanted_vhosts.at + o->vhost_at);
    o->vhost_at += vhost.len + 1;
    gather_from(o, &vhost);
}

/* ---- Which families. */

static bool is_wanted(const struct objects *o, const struct family *family)
{
    if (o->how == OBJECTS_SUMS)
        return family->sum != SUM_NONE;
    if (o->how == OBJECTS_ALL)
        return !family->of_cluster;
    return request_query_has(o->request, "family", family->group) ||
           (family->other_group && request_query_has(o->request, "family", family->other_group));
}

/* Returns true when the family may be in the pass that has begun. */
static bool joins(const struct objects *o, const struct family *family)
{
    if (o->pass_count == 0)
        return true;
    const struct family *first = o->pass[0];
    if (first->object != family->object)
        return false;
    if (o->how == OBJECTS_SUMS)
        return true;
    return o->pass_count < PASS_FAMILIES && first->labels == LABELS_PLAIN &&
           family->labels == LABELS_PLAIN;
}

/* Chooses the families of the next pass. Returns false when there are no more. */
static bool choose(struct objects *o)
{
    size_t count;
    const struct family *table = families(&count);
    o->pass_count = 0;
    for (; o->family_at < count; o->family_at++) {
        const struct family *family = &table[o->family_at];
        if (!is_wanted(o, family))
            continue;
        if (!joins(o, family))
            break;
        o->pass[o->pass_count++] = family;
    }
    return o->pass_count > 0;
}

/* Returns true when the sum of some family is one over all objects. */
static bool needs_objects(const struct objects *o)
{
    for (unsigned i = 0; i < o->pass_count; i++)
        if (o->pass[i]->sum == SUM_OBJECTS)
            return true;
    return false;
}

static void next_pass(struct objects *o)
{
    memset(o->sums, 0, sizeof o->sums);
    o->vhost_at = 0;
    if (!choose(o))
        end(o);
    else if (o->how == OBJECTS_SUMS && !needs_objects(o))
        write_sums(o);
    else if (o->of_vhosts && o->pass[0]->object != FAMILY_CONNECTION)
        gather_vhost(o);
    else
        gather_from(o, NULL);
}

/* ---- The query. */

/* Reads the names of vhosts. */
static void read_vhosts(struct objects *o)
{
    struct text names = {0};
    const char *from = o->request->query;
    char *name;
    while ((name = request_query_next(&from, "vhost"))) {
        o->of_vhosts = true;
        if (auth_vhost_exists(o->request->admin->options.auth, bytes_of_text(name)) &&
            !names_vhost(o, bytes_of_text(name)))
            text_add(&names, name, strlen(name) + 1);
        free(name);
        o->wanted_vhosts = text_bytes(&names);
    }
}

/* Reads queue_filter, or queue, as RabbitMQ calls it. Returns false when it is wrong, and has
 * answered. */
static bool read_filter(struct objects *o)
{
    const struct pattern_options options = {.steps_max = FILTER_STEPS_MAX};
    struct pattern_error error;
    char *text = request_query(o->request, "queue_filter");
    if (!text)
        text = request_query(o->request, "queue");
    enum status status =
        text && *text ? pattern_new(bytes_of_text(text), &options, &o->filter, &error) : STATUS_OK;
    free(text);
    if (status == STATUS_MALFORMED)
        respond_bad_request(o->request, "Invalid 'queue_filter' regex at position %zu: %s",
                            error.at, error.reason);
    else if (status != STATUS_OK)
        respond_bad_request(o->request, "'queue_filter' regex too long");
    return status == STATUS_OK;
}

void objects_write(struct request *r, struct exposition *out, enum objects_how how,
                   const struct totals *totals)
{
    struct objects *o = request_work(r, sizeof *o, objects_free);
    size_t count;
    const struct family *table = families(&count);
    /* Metrics tell of all objects, whoever asks for them. */
    r->rights |= RIGHT_MONITORING | RIGHT_ADMINISTRATOR;
    o->request = r;
    o->out = *out;
    *out = (struct exposition){0};
    o->how = how;
    for (size_t i = 0; totals && i < count; i++)
        o->totals[i] = *(const uint64_t *)(const void *)((const char *)totals + table[i].total);
    if (how == OBJECTS_CHOSEN) {
        read_vhosts(o);
        if (!read_filter(o))
            return;
    }
    http_stream_begin(r, 200, exposition_content_type(&o->out));
    next_pass(o);
}
