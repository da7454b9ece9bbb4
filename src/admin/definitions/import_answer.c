/* Part of import: its answers.
 *
 * 204: everything was carried out. 200: the same, but something was left out, which the answer
 * tells. 400: the file was refused and nothing has changed, or some entries could not be carried
 * out; the answer tells which. */
#include "admin/definitions/import.h"

#include "admin/http/respond.h"
#include "admin/json/answer.h"
#include "leveret/admin/admin.h"

void import_wrong(struct request *r, const char *list, uint32_t index, struct bytes name,
                  struct bytes vhost, const char *why)
{
    struct import *i = r->work;
    problems_add(&i->wrong, &i->arena,
                 (struct problem){bytes_of_text(list), index, name, vhost, why});
}

void import_left_out(struct request *r, const char *list, uint32_t index, struct bytes name,
                     struct bytes vhost, const char *why)
{
    struct import *i = r->work;
    problems_add(&i->left_out, &i->arena,
                 (struct problem){bytes_of_text(list), index, name, vhost, why});
}

void import_failed(struct request *r, const char *list, uint32_t index, struct bytes name,
                   struct bytes vhost, const char *why)
{
    struct import *i = r->work;
    problems_add(&i->failed, &i->arena,
                 (struct problem){bytes_of_text(list), index, name, vhost, why});
}

void import_write_counts(struct answer *a, const char *key, const uint32_t counts[KIND_COUNT])
{
    answer_object(a, key);
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (counts[kind])
            answer_uint(a, import_kinds[kind], counts[kind]);
    answer_end(a);
}

void import_write_left_out(struct answer *a, const struct import *i)
{
    problems_write(&i->left_out, a, "left_out", "left_out_more");
}

static uint32_t sum(const uint32_t counts[KIND_COUNT])
{
    uint32_t all = 0;
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        all += counts[kind];
    return all;
}

/* Answers 400 with the reason and all errors. A request of the broker itself hears the errors as
 * lines, for those who start it. */
static void respond_errors(struct request *r, struct text *reason, const struct problems *errors,
                           bool carried_out)
{
    const struct import *i = r->work;
    struct answer a = {0};
    if (r->heard) {
        struct text lines = {0};
        problems_say_lines(errors, &lines);
        text_add(&lines, "", 1);
        respond_error(r, 400, "bad_request", (const char *)lines.at);
        text_free(&lines);
        return;
    }
    answer_object(&a, NULL);
    answer_text(&a, "error", "bad_request");
    answer_bytes(&a, "reason", text_bytes(reason));
    problems_write(errors, &a, "errors", "errors_more");
    if (carried_out)
        import_write_counts(&a, "imported", i->done);
    import_write_left_out(&a, i);
    answer_end(&a);
    respond_json(r, 400, &a);
}

bool import_is_refused(const struct import *i)
{
    return i->wrong.count || (i->strict && i->left_out.count);
}

void import_refuse(struct request *r)
{
    const struct import *i = r->work;
    struct text reason = {0};
    problems_say(&i->wrong, &reason);
    if (i->strict && i->left_out.count) {
        text_printf(&reason, "%sto be left out: ", reason.len ? "; " : "");
        problems_say(&i->left_out, &reason);
    }
    log_line(r->admin->options.log, LOG_WARNING, "http",
             "definitions refused, nothing has changed: %.*s", BYTES_PRINT(text_bytes(&reason)));
    respond_errors(r, &reason, &i->wrong, false);
    text_free(&reason);
}

/* Answers what was not carried out. At its start the broker goes on with the rest. */
static void end_in_part(struct request *r)
{
    const struct import *i = r->work;
    struct text reason = {0};
    text_printf(&reason, "%u of %u entries were carried out; not: ", sum(i->done), i->all);
    problems_say(&i->failed, &reason);
    log_line(r->admin->options.log, LOG_WARNING, "http", "definitions: %.*s",
             BYTES_PRINT(text_bytes(&reason)));
    if (r->heard)
        respond_empty(r, ADMIN_IMPORT_IN_PART);
    else
        respond_errors(r, &reason, &i->failed, true);
    text_free(&reason);
}

static void log_left_out(const struct request *r)
{
    const struct import *i = r->work;
    struct text said = {0};
    problems_say(&i->left_out, &said);
    if (i->left_out.count)
        log_line(r->admin->options.log, LOG_WARNING, "http", "definitions left out: %.*s",
                 BYTES_PRINT(text_bytes(&said)));
    text_free(&said);
}

void import_end(struct request *r)
{
    const struct import *i = r->work;
    struct answer a = {0};
    log_left_out(r);
    if (i->failed.count) {
        end_in_part(r);
        return;
    }
    log_line(r->admin->options.log, LOG_INFO, "http", "definitions imported by '%s': %u entries",
             *r->user ? r->user : "load_definitions", sum(i->done));
    if (i->left_out.count == 0) {
        respond_empty(r, 204);
        return;
    }
    answer_object(&a, NULL);
    import_write_counts(&a, "imported", i->done);
    import_write_left_out(&a, i);
    answer_end(&a);
    respond_json(r, 200, &a);
}
