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
#include "leveretd/settings/literal.h"
#include "leveretd/settings/settings.h"

static struct settings *settings;
static struct text errors;
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
    text_free(&errors);
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
    write_file(text);
    return settings_read_file(settings, path, &errors);
}

static inline bool set(const char *key, const char *value)
{
    char *why;
    enum status status = settings_set(settings, key, value, &why);
    ck_assert(status == STATUS_OK || status == STATUS_NOT_FOUND || why);
    free(why);
    return status == STATUS_OK;
}

static inline bool errors_have(const char *wanted)
{
    text_add(&errors, "", 1);
    errors.len--;
    return strstr((const char *)errors.at, wanted) != NULL;
}

static inline size_t error_lines(void)
{
    size_t lines = 0;
    for (size_t i = 0; i < errors.len; i++)
        lines += errors.at[i] == '\n';
    return lines;
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
