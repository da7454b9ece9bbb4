/* Conditions on columns. A row is rendered once for each of them, with an answer that captures the
 * column instead of writing anything, as for sorting. */
#include "admin/listing/conditions.h"

#include <stdlib.h>
#include <strings.h>

#include "admin/http/request.h"
#include "admin/http/respond.h"
#include "leveret/base/mem.h"

enum test { TEST_EQ, TEST_NE, TEST_GT, TEST_LT, TEST_HAS, TESTS };
static const char *const test_names[TESTS] = {"eq", "ne", "gt", "lt", "has"};

struct condition {
    struct columns column; /* one */
    enum test test;
    char *value;
    bool is_number; /* true when value is a number */
    double number;
};

struct conditions {
    size_t count;
    struct condition of[CONDITIONS_MAX];
};

void conditions_free(struct conditions **conditions)
{
    struct conditions *c = *conditions;
    *conditions = NULL;
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++) {
        columns_free(&c->of[i].column);
        free(c->of[i].value);
    }
    free(c);
}

/* Reads "COLUMN:TEST:VALUE"; the text is cut into pieces. Returns false when it is malformed. */
static bool read_one(char *text, struct condition *out)
{
    char *test = strchr(text, ':'), *end;
    char *value = test ? strchr(test + 1, ':') : NULL;
    if (!value || test == text || memchr(text, ',', (size_t)(test - text)))
        return false;
    *test++ = *value++ = '\0';
    for (out->test = 0; out->test < TESTS && strcmp(test_names[out->test], test) != 0;)
        out->test++;
    out->number = strtod(value, &end);
    out->is_number = *value && !*end;
    if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) {
        out->is_number = true;
        out->number = *value == 't';
    }
    if (out->test == TESTS || ((out->test == TEST_GT || out->test == TEST_LT) && !out->is_number))
        return false;
    columns_parse(&out->column, text);
    out->value = mem_need_text(value, strlen(value));
    return true;
}

bool conditions_read(struct request *request, struct conditions **out)
{
    const char *from = request->query;
    char *text;
    bool good = true;
    *out = NULL;
    while (good && (text = request_query_next(&from, "where"))) {
        struct conditions *c = *out ? *out : (*out = mem_need(sizeof *c));
        good = c->count < CONDITIONS_MAX && read_one(text, &c->of[c->count]);
        c->count += good;
        free(text);
    }
    if (good)
        return true;
    conditions_free(out);
    respond_bad_request(request,
                        "where must be COLUMN:TEST:VALUE, with one of the tests eq, ne, gt, lt "
                        "and has; at most %u of them",
                        CONDITIONS_MAX);
    return false;
}

static bool is_equal(const struct condition *c, const struct captured *have)
{
    if (have->kind == CAPTURED_NUMBER)
        return c->is_number && !(have->number < c->number) && !(have->number > c->number);
    return bytes_equal_text(text_bytes(&have->text), c->value);
}

static bool holds(const struct condition *c, const struct captured *have)
{
    switch (c->test) {
    case TEST_EQ:
        return is_equal(c, have);
    case TEST_NE:
        return !is_equal(c, have);
    case TEST_GT:
        return have->kind == CAPTURED_NUMBER && have->number > c->number;
    case TEST_LT:
        return have->kind == CAPTURED_NUMBER && have->number < c->number;
    default:
        return have->kind != CAPTURED_NOTHING;
    }
}

bool conditions_hold(const struct conditions *conditions,
                     void (*render)(void *context, struct answer *answer), void *context)
{
    bool all = true;
    for (size_t i = 0; i < conditions->count && all; i++) {
        struct captured have = {.kind = CAPTURED_NOTHING};
        struct answer w = {.columns = &conditions->of[i].column, .capture = &have};
        answer_object(&w, NULL);
        render(context, &w);
        answer_free(&w);
        all = holds(&conditions->of[i], &have);
        text_free(&have.text);
    }
    return all;
}
