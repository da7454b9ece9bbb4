/* Definitions: the input is the JSON of an import.
 *
 * What is refused has changed nothing, unless the answer says that a part was carried out. What is
 * taken can be exported, and the export makes the same broker again: in the one that it came from,
 * and in a new one. */
#include <string.h>

#include "api_play.h"
#include "leveret/base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum outcome { TAKEN, TAKEN_IN_PART, REFUSED };

static bool says(const struct text *text, const char *what)
{
    return text->len && memmem(text->at, text->len, what, strlen(what));
}

/* *whole: nothing was left out. */
static enum outcome import(struct api *api, struct bytes body, bool *whole)
{
    struct api_answer answer;
    api_ask(api, METHOD_POST, BYTES_LITERAL("/api/definitions"), body, "guest", &answer);
    bool in_part = says(&answer.body, "entries were carried out");
    CHECK(answer.code == 204 || answer.code == 200 || answer.code == 400);
    *whole = answer.code == 204;
    text_free(&answer.body);
    return answer.code != 400 ? TAKEN : in_part ? TAKEN_IN_PART : REFUSED;
}

/* What there is, as text. False: nobody may ask any more (the definitions have taken the tags of
 * the user who asks, or his password). */
static bool export(struct api *api, struct text *out)
{
    struct api_answer answer;
    api_ask(api, METHOD_GET, BYTES_LITERAL("/api/definitions"), bytes_of("", 0), "guest", &answer);
    CHECK(answer.code == 200 || answer.code == 401);
    *out = answer.body;
    if (answer.code == 200)
        return true;
    text_free(out);
    return false;
}

static void check_round(struct api *api, const struct text *exported)
{
    struct text again = {0};
    bool whole;
    CHECK(import(api, text_bytes(exported), &whole) == TAKEN && whole);
    CHECK(export(api, &again));
    CHECK(bytes_equal(text_bytes(exported), text_bytes(&again)));
    text_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct api *api = api_new();
    struct text before = {0}, after = {0};
    CHECK(export(api, &before));
    bool whole;
    enum outcome outcome = import(api, bytes_of(data, size), &whole);
    bool may_ask = export(api, &after);
    if (outcome == REFUSED) {
        CHECK(may_ask);
        CHECK(bytes_equal(text_bytes(&before), text_bytes(&after)));
    } else if (may_ask) {
        struct api *fresh = api_new();
        check_round(api, &after);
        check_round(fresh, &after);
        api_free(&fresh);
    }
    text_free(&before);
    text_free(&after);
    api_free(&api);
    return 0;
}
