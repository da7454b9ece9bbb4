/* base/folder: which files of a folder are seen, and in which order. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leveret/base/folder.h"
#include "leveret/base/random.h"

static char seen[512];

static void see(void *context, const char *path)
{
    size_t len = strlen(seen);
    ck_assert_ptr_eq(context, seen);
    snprintf(seen + len, sizeof seen - len, "%s ", strrchr(path, '/') + 1);
}

START_TEST(files_in_order_of_name)
{
    static const char *const names[] = {"20.conf", "10.conf",  ".hidden.conf",
                                        ".conf",   "x.config", "a.conf"};
    char folder[] = "/tmp/leveret-folder-XXXXXX", path[64];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        fclose(fopen(path, "w"));
    }
    ck_assert_int_eq(folder_each(folder, ".conf", see, seen), STATUS_OK);
    ck_assert_str_eq(seen, "10.conf 20.conf a.conf ");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
    ck_assert_int_eq(folder_each(folder, ".conf", see, seen), STATUS_IO);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(hexadecimal_digits)
{
    char one[2 * RANDOM_HEX_BYTES_MAX + 1], other[sizeof one];
    random_hex(one, RANDOM_HEX_BYTES_MAX);
    random_hex(other, RANDOM_HEX_BYTES_MAX);
    ck_assert_uint_eq(strlen(one), 2 * RANDOM_HEX_BYTES_MAX);
    ck_assert_uint_eq(strspn(one, "0123456789abcdef"), strlen(one));
    ck_assert_str_ne(one, other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("folder");
    TCase *tests = tcase_create("folder");
    tcase_add_test(tests, files_in_order_of_name);
    tcase_add_test(tests, hexadecimal_digits);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
