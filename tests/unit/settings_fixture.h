/* Settings, and words for what they must be. */
#ifndef TESTS_SETTINGS_FIXTURE_H
#define TESTS_SETTINGS_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "leveret/base/dialect.h"
#include "leveret/base/identity.h"
#include "leveret/base/log.h"

#include "leveretd/settings/compatibility.h"
#include "leveretd/settings/environment.h"
#include "leveretd/settings/literal.h"
#include "leveretd/settings/settings.h"

static struct settings *settings;
static struct report report;
static char path[64];

static inline void set_up(void)
{
    settings = settings_new();
    snprintf(path, sizeof path, "settings_test.%d.conf", (int)getpid());
}

static inline void tear_down(void)
{
    settings_free(&settings);
    ck_assert_ptr_null(settings);
    report_free(&report);
    unlink(path);
}

static inline void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static inline bool read_text(const char *text)
{
    size_t before = report_count(&report, FINDING_ERROR);
    write_file(text);
    settings_read_path(settings, path, &report);
    return report_count(&report, FINDING_ERROR) == before;
}

/* Whether the assignment is taken without an error. */
static inline bool assign(struct settings *to, const char *assignment)
{
    size_t before = report_count(&report, FINDING_ERROR);
    settings_read_assignment(to, assignment, &report);
    return report_count(&report, FINDING_ERROR) == before;
}

static inline bool read_variables(char *const *environment)
{
    size_t before = report_count(&report, FINDING_ERROR);
    environment_read(settings, environment, &report);
    return report_count(&report, FINDING_ERROR) == before;
}

static inline bool set(const char *key, const char *value)
{
    char *why;
    enum status status = settings_set(settings, key, value, &why);
    ck_assert(status == STATUS_OK || status == STATUS_NOT_FOUND || why);
    free(why);
    return status == STATUS_OK;
}

/* Whether a finding of this kind contains the text. */
static inline bool found(enum finding_kind kind, const char *wanted)
{
    for (size_t i = 0; i < report.count; i++)
        if (report.items[i].kind == kind && strstr(report.items[i].text, wanted))
            return true;
    return false;
}

static inline bool errors_have(const char *wanted)
{
    return found(FINDING_ERROR, wanted);
}

static inline size_t error_lines(void)
{
    return report_count(&report, FINDING_ERROR);
}

static inline void addresses_are(const char *wanted)
{
    char got[256] = "";
    char **list = settings_addresses(settings);
    for (char **item = list; *item; item++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", item == list ? "" : " ",
                 *item);
    ck_assert_str_eq(got, wanted);
    settings_free_list(&list);
    ck_assert_ptr_null(list);
}

static inline void loopback_users_are(const char *wanted)
{
    char got[256] = "";
    char **list = settings_loopback_users(settings);
    for (char **item = list; *item; item++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", item == list ? "" : " ",
                 *item);
    ck_assert_str_eq(got, wanted);
    settings_free_list(&list);
}

/* Adds a case with these tests (NULL ends them) to the suite. */
static inline void add_case(Suite *suite, const char *name, const TTest *const *tests)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    for (; *tests; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
}

#endif
