/* What reading the configuration found, in the order in which it was found. */
#include "leveretd/settings/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"

void report_add(struct report *report, enum finding_kind kind, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = mem_need_text(format, strlen(format));
    va_end(args);
    report->items = mem_need_array(report->items, report->count + 1, sizeof *report->items);
    report->items[report->count++] = (struct finding){kind, text};
}

void report_free(struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        free(report->items[i].text);
    free(report->items);
    *report = (struct report){0};
}

bool report_is_error(const struct report *report, const struct finding *finding)
{
    return finding->kind == FINDING_ERROR || (finding->kind == FINDING_MISSING && !report->lenient);
}

bool report_is_good(const struct report *report)
{
    for (size_t i = 0; i < report->count; i++)
        if (report_is_error(report, &report->items[i]))
            return false;
    return true;
}

size_t report_count(const struct report *report, enum finding_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += report->items[i].kind == kind;
    return count;
}
