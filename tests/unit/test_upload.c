/* Where the JSON is in a body: plain, behind a byte order mark, in a form's part. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "admin/http/upload.h"

#define FORM "multipart/form-data; boundary=x"
#define HEAD "Content-Disposition: form-data; name="

static const struct {
    const char *type, *body, *json;
} cases[] = {
    {NULL, "{}", "{}"},
    {"application/json", "\xef\xbb\xbf{\"a\":1}", "{\"a\":1}"},
    {"application/json", "\xef\xbb", "\xef\xbb"},
    {FORM, "--x\r\n" HEAD "\"file\"\r\n\r\n{}\r\n--x--\r\n", "{}"},
    {FORM, "--x\r\n" HEAD "file\r\n\r\n\xef\xbb\xbf{}\r\n--x--", "{}"},
    {"Multipart/Form-Data; Boundary=\"x y\"; charset=utf-8",
     "--x y\r\n" HEAD "\"file\"\r\n\r\n{}\r\n--x y--", "{}"},
    {FORM,
     "preamble\r\n--x\r\n" HEAD "\"redirect\"\r\n\r\n/\r\n--x\r\n" HEAD
     "\"file\"; filename=\"d.json\"\r\nContent-Type: application/json\r\n\r\n{\r\n}\r\n--x--",
     "{\r\n}"},
    {FORM, "--x\r\n" HEAD "\"other\"\r\n\r\n{}\r\n--x--", "{}"},
    {FORM, "--x\r\n" HEAD "\"file\"\r\n\r\n\r\n--x--", ""},
    /* What is no form. */
    {FORM, "{}", ""},
    {FORM, "--x\r\n" HEAD "\"file\"\r\n\r\n{}", ""},
    {FORM, "--x\r\n" HEAD "\"file\"\r\n", ""},
    {FORM, "--x\r\n" HEAD "\"file\"\r\n\r\n--x--", ""},
    {FORM, "", ""},
    {"multipart/form-data", "--x\r\n" HEAD "\"file\"\r\n\r\n{}\r\n--x--", ""},
    {"multipart/form-data; boundary=", "--\r\n" HEAD "\"file\"\r\n\r\n{}\r\n--", ""},
    {"multipart/form-data; "
     "boundary="
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "{}", ""},
};

START_TEST(json_is_found)
{
    /* In memory of its own, so that a sanitizer sees a read beyond the end. */
    size_t len = strlen(cases[_i].body);
    char *body = malloc(len + 1);
    ck_assert_ptr_nonnull(body);
    memcpy(body, cases[_i].body, len);
    struct bytes json = upload_json(cases[_i].type, bytes_of(body, len));
    ck_assert_msg(bytes_equal_text(json, cases[_i].json), "case %d: '%.*s'", _i, (int)json.len,
                  (const char *)json.at);
    free(body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upload");
    TCase *tests = tcase_create("upload");
    tcase_add_loop_test(tests, json_is_found, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
