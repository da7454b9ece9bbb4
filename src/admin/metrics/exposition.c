/* Writing metrics in Prometheus's formats. */
#include "admin/metrics/exposition.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "leveret/base/utf8.h"

#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

const char *exposition_content_type(const struct exposition *out)
{
    return out->open ? OPEN_TYPE : TEXT_TYPE;
}

/* ---- Which format. */

/* The weight of a media range in thousandths: its parameter q, 1000 without one. */
static unsigned weight_of(const char *range, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++) {
        if (range[i] != ';')
            continue;
        size_t at = i + 1 + strspn(range + i + 1, " \t");
        if (at + 2 > len || strncasecmp(range + at, "q=", 2) != 0)
            continue;
        unsigned weight = range[at + 2] == '1' ? 1000 : 0, unit = 100;
        if (at + 3 < len && range[at + 3] == '.')
            for (at += 4; at < len && range[at] >= '0' && range[at] <= '9'; at++, unit /= 10)
                weight += (unsigned)(range[at] - '0') * unit;
        return weight > 1000 ? 1000 : weight;
    }
    return 1000;
}

/* Returns true when the range names this type, and no version of it that is not written here. */
static bool names(const char *range, size_t len, const char *type, const char *version)
{
    size_t type_len = strlen(type);
    if (len < type_len || strncasecmp(range, type, type_len) != 0)
        return false;
    const char *given = memmem(range, len, "version=", 8);
    size_t version_len = strlen(version);
    if (!given)
        return true;
    given += 8;
    return (size_t)(range + len - given) >= version_len && memcmp(given, version, version_len) == 0;
}

bool exposition_is_open(const char *accept)
{
    unsigned open = 0, text = 0;
    for (const char *at = accept ? accept : ""; *at;) {
        at += strspn(at, " \t,");
        size_t len = strcspn(at, ",");
        unsigned weight = weight_of(at, len);
        if (names(at, len, "application/openmetrics-text", "1.0.0") && weight > open)
            open = weight;
        if ((names(at, len, "text/plain", "0.0.4") || names(at, len, "*/*", "")) && weight > text)
            text = weight;
        at += len;
    }
    return open > 0 && open >= text;
}

/* ---- Families. */

static const char *const type_names[][2] = {
    [METRIC_COUNTER] = {"counter", "counter"},
    [METRIC_GAUGE] = {"gauge", "gauge"},
    [METRIC_HISTOGRAM] = {"histogram", "histogram"},
    [METRIC_SUMMARY] = {"summary", "summary"},
    [METRIC_INFO] = {"gauge", "info"},
};

static void add(struct exposition *out, const char *words)
{
    text_add(&out->text, words, strlen(words));
}

/* The bytes of a family's name: in OpenMetrics its samples have a suffix that it has not. */
static size_t family_len(const struct exposition *out, const struct metric *metric)
{
    size_t len = strlen(metric->name);
    if (out->open && metric->type == METRIC_COUNTER)
        return len - strlen("_total");
    if (out->open && metric->type == METRIC_INFO)
        return len - strlen("_info");
    return len;
}

static void begin_comment(struct exposition *out, const char *word, const struct metric *metric)
{
    add(out, word);
    if (out->prefix)
        add(out, out->prefix);
    text_add(&out->text, metric->name, family_len(out, metric));
    add(out, " ");
}

void exposition_family(struct exposition *out, const struct metric *metric)
{
    begin_comment(out, "# HELP ", metric);
    add(out, metric->help);
    begin_comment(out, "\n# TYPE ", metric);
    add(out, type_names[metric->type][out->open]);
    add(out, "\n");
}

/* ---- Lines. */

void exposition_name(struct exposition *out, const char *name, const char *suffix)
{
    if (out->prefix)
        add(out, out->prefix);
    add(out, name);
    add(out, suffix);
}

void exposition_label(struct exposition *out, struct bytes value)
{
    for (size_t i = 0; i < value.len;) {
        size_t n = utf8_step(value.at + i, value.len - i);
        uint8_t c = value.at[i];
        if (n == 0)
            add(out, "\xEF\xBF\xBD");
        else if (c == '\n')
            add(out, "\\n");
        else if (c == '"' || c == '\\')
            text_add(&out->text, c == '"' ? "\\\"" : "\\\\", 2);
        else
            text_add(&out->text, value.at + i, n);
        i += n ? n : 1;
    }
}

void exposition_value(struct exposition *out, uint64_t value)
{
    add(out, " ");
    text_add_number(&out->text, value);
    add(out, "\n");
}

void exposition_real(struct exposition *out, double value)
{
    if (isnan(value))
        add(out, " NaN\n");
    else
        text_printf(&out->text, " %.6f\n", value);
}

void exposition_sample(struct exposition *out, const struct metric *metric, const char *labels,
                       uint64_t value)
{
    exposition_name(out, metric->name, labels);
    exposition_value(out, value);
}

void exposition_one(struct exposition *out, const char *name, enum metric_type type,
                    const char *help, uint64_t value)
{
    const struct metric metric = {name, type, help};
    exposition_family(out, &metric);
    exposition_sample(out, &metric, "", value);
}

void exposition_one_real(struct exposition *out, const char *name, enum metric_type type,
                         const char *help, double value)
{
    const struct metric metric = {name, type, help};
    exposition_family(out, &metric);
    exposition_name(out, name, "");
    exposition_real(out, value);
}

void exposition_bound(struct exposition *out, uint64_t bound)
{
    if (!out->open)
        text_add_number(&out->text, bound);
    else if (bound < 1000000)
        text_printf(&out->text, "%llu.0", (unsigned long long)bound);
    else
        text_printf(&out->text, "%g", (double)bound); /* "1e+06", as OpenMetrics wants it */
}

void exposition_end(struct exposition *out)
{
    if (out->open)
        add(out, "# EOF\n");
}
