/* JSON output that leaves out what the columns do not name.
 *
 * Normal course: answer_object, values, answer_end; each step first asks whether the key is wanted.
 * What can go wrong: an object or array deeper than ANSWER_DEPTH_MAX is left out. */
#include "admin/json/answer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/json/columns.h"
#include "leveret/base/check.h"
#include "leveret/base/mem.h"
#include "leveret/base/utf8.h"

/* A level's mask when everything below it is wanted. */
#define ALL UINT64_MAX

void answer_free(struct answer *answer)
{
    text_free(&answer->text);
}

/* ---- What is wanted. */

static uint64_t mask_below(const struct answer *w, struct bytes key, bool named)
{
    if (w->depth == 0)
        return w->columns && w->columns->count ? (UINT64_C(1) << w->columns->count) - 1 : ALL;
    uint64_t mask = w->level[w->depth - 1].mask;
    if (mask == ALL || !named)
        return mask;
    unsigned names = w->level[w->depth - 1].names;
    uint64_t below = 0;
    for (size_t i = 0; i < w->columns->count; i++) {
        if (!(mask >> i & 1))
            continue;
        if (!bytes_equal_text(key, w->columns->column[i].part[names]))
            continue;
        if (w->columns->column[i].parts == names + 1)
            return ALL;
        below |= UINT64_C(1) << i;
    }
    return below;
}

bool answer_wants(const struct answer *answer, const char *key)
{
    return mask_below(answer, bytes_of_text(key), true) != 0;
}

/* ---- Pieces of JSON. */

static void put_escaped(struct text *out, uint8_t c)
{
    switch (c) {
    case '"':
        text_add(out, "\\\"", 2);
        break;
    case '\\':
        text_add(out, "\\\\", 2);
        break;
    case '\n':
        text_add(out, "\\n", 2);
        break;
    case '\r':
        text_add(out, "\\r", 2);
        break;
    case '\t':
        text_add(out, "\\t", 2);
        break;
    default:
        text_printf(out, "\\u%04x", c);
    }
}

static bool plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void put_string(struct text *out, struct bytes value)
{
    size_t from = 0, i = 0;
    text_add(out, "\"", 1);
    while (i < value.len) {
        uint8_t c = value.at[i];
        if (plain(c)) {
            i++;
            continue;
        }
        size_t n = utf8_step(value.at + i, value.len - i);
        if (n > 1) {
            i += n;
            continue;
        }
        text_add(out, value.at + from, i - from);
        if (n == 0)
            text_add(out, "\xef\xbf\xbd", 3);
        else
            put_escaped(out, c);
        from = ++i;
    }
    if (value.len > from)
        text_add(out, value.at + from, value.len - from);
    text_add(out, "\"", 1);
}

static void put_key(struct answer *w, struct bytes key, bool named)
{
    if (w->depth == 0)
        return;
    if (w->level[w->depth - 1].some)
        text_add(&w->text, ",", 1);
    w->level[w->depth - 1].some = true;
    if (named && !w->level[w->depth - 1].array) {
        put_string(&w->text, key);
        text_add(&w->text, ":", 1);
    }
}

static bool begin(struct answer *w, struct bytes key, bool named, bool array)
{
    uint64_t mask = mask_below(w, key, named);
    if (mask == 0 || w->depth == ANSWER_DEPTH_MAX)
        return false;
    unsigned names = w->depth ? w->level[w->depth - 1].names + (named ? 1 : 0) : 0;
    if (!w->capture) {
        put_key(w, key, named);
        text_add(&w->text, array ? "[" : "{", 1);
    }
    w->level[w->depth].mask = mask;
    w->level[w->depth].names = names;
    w->level[w->depth].array = array;
    w->level[w->depth].some = false;
    w->depth++;
    return true;
}

static struct bytes key_of(const char *key)
{
    return key ? bytes_of_text(key) : bytes_of("", 0);
}

bool answer_object(struct answer *answer, const char *key)
{
    return begin(answer, key_of(key), key != NULL, false);
}

bool answer_array(struct answer *answer, const char *key)
{
    return begin(answer, key_of(key), key != NULL, true);
}

/* Within arrays there are no keys: key.at is NULL. */
bool answer_object_bytes(struct answer *answer, struct bytes key)
{
    return begin(answer, key, key.at != NULL, false);
}

bool answer_array_bytes(struct answer *answer, struct bytes key)
{
    return begin(answer, key, key.at != NULL, true);
}

void answer_end(struct answer *answer)
{
    CHECK(answer->depth > 0);
    answer->depth--;
    if (!answer->capture)
        text_add(&answer->text, answer->level[answer->depth].array ? "]" : "}", 1);
}

/* ---- Values that are no object and no array: leaves. */

/* Writes a leaf's key. Returns true when the caller is to write its value; a number that is to be
 * captured is captured here instead. */
static bool leaf(struct answer *w, struct bytes key, bool named, double number)
{
    if (mask_below(w, key, named) != ALL)
        return false;
    if (!w->capture) {
        put_key(w, key, named);
        return true;
    }
    if (w->capture->kind == CAPTURED_NOTHING && !isnan(number)) {
        w->capture->kind = CAPTURED_NUMBER;
        w->capture->number = number;
    }
    return false;
}

static void leaf_bytes(struct answer *w, struct bytes key, bool named, struct bytes value)
{
    if (mask_below(w, key, named) != ALL)
        return;
    if (!w->capture) {
        put_key(w, key, named);
        put_string(&w->text, value);
    } else if (w->capture->kind == CAPTURED_NOTHING) {
        w->capture->kind = CAPTURED_TEXT;
        text_add_bytes(&w->capture->text, value);
    }
}

static void put_real(struct text *out, double value)
{
    char number[40];
    if (value >= 0 && value < 1e15 &&
        value == (double)(uint64_t)value) { /* the fast way; rates are nearly always 0 */
        text_add_number(out, (uint64_t)value);
        text_add(out, ".0", 2);
        return;
    }
    if (!isfinite(value)) {
        text_add(out, "null", 4);
        return;
    }
    int n = snprintf(number, sizeof number, "%.15g", value);
    text_add(out, number, (size_t)n);
    if (!strpbrk(number, ".e"))
        text_add(out, ".0", 2);
}

void answer_text(struct answer *answer, const char *key, const char *value)
{
    leaf_bytes(answer, key_of(key), key != NULL, bytes_of_text(value));
}

void answer_bytes(struct answer *answer, const char *key, struct bytes value)
{
    leaf_bytes(answer, key_of(key), key != NULL, value);
}

void answer_uint(struct answer *answer, const char *key, uint64_t value)
{
    if (leaf(answer, key_of(key), key != NULL, (double)value))
        text_add_number(&answer->text, value);
}

void answer_real(struct answer *answer, const char *key, double value)
{
    if (leaf(answer, key_of(key), key != NULL, value))
        put_real(&answer->text, value);
}

void answer_bool(struct answer *answer, const char *key, bool value)
{
    if (leaf(answer, key_of(key), key != NULL, value))
        text_add_bytes(&answer->text, bytes_of_text(value ? "true" : "false"));
}

void answer_json(struct answer *answer, const char *key, const char *json)
{
    if (leaf(answer, key_of(key), key != NULL, NAN))
        text_add(&answer->text, json, strlen(json));
}

void answer_null(struct answer *answer, const char *key)
{
    if (leaf(answer, key_of(key), key != NULL, NAN))
        text_add(&answer->text, "null", 4);
}

void answer_keyed_bytes(struct answer *answer, struct bytes key, struct bytes value)
{
    leaf_bytes(answer, key, key.at != NULL, value);
}

void answer_keyed_int(struct answer *answer, struct bytes key, int64_t value)
{
    if (leaf(answer, key, key.at != NULL, (double)value))
        text_printf(&answer->text, "%" PRId64, value);
}

void answer_keyed_real(struct answer *answer, struct bytes key, double value)
{
    if (leaf(answer, key, key.at != NULL, value))
        put_real(&answer->text, value);
}

void answer_keyed_bool(struct answer *answer, struct bytes key, bool value)
{
    if (leaf(answer, key, key.at != NULL, value))
        text_add_bytes(&answer->text, bytes_of_text(value ? "true" : "false"));
}

void answer_keyed_null(struct answer *answer, struct bytes key)
{
    if (leaf(answer, key, key.at != NULL, NAN))
        text_add(&answer->text, "null", 4);
}
