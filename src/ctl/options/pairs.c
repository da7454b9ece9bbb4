/* Pairs of the command line. */
#include "ctl/options/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/output/complain.h"
#include "leveret/base/mem.h"

#define DIGITS_MAX 18 /* digits of a number that always fits in an int64_t */

static bool is_number(const char *text)
{
    const char *digits = text + (*text == '-');
    size_t count = strspn(digits, "0123456789");
    return count > 0 && count <= DIGITS_MAX && digits[count] == '\0';
}

static struct value *guess(const char *text)
{
    if (is_number(text))
        return value_new_int(strtoll(text, NULL, 10));
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return value_new_bool(*text == 't');
    return value_new_text(text);
}

struct value *pairs_typed(const struct pairs *pairs)
{
    struct value *map = value_new_map();
    for (size_t i = 0; i < pairs->count; i++) {
        const char *pair = pairs->at[i], *sign = strchr(pair, '=');
        bool json = sign > pair + 1 && sign[-1] == ':';
        struct value *value = json ? value_parse(bytes_of_text(sign + 1)) : guess(sign + 1);
        char *name = mem_need_text(pair, (size_t)(sign - pair) - json);
        if (value)
            value_set(map, name, value);
        else
            complain("the value of %s is not JSON", name);
        free(name);
        if (!value) {
            value_free(&map);
            return NULL;
        }
    }
    return map;
}

struct value *pairs_properties(const struct pairs *pairs)
{
    static const char *const numbers[] = {"delivery_mode=", "priority=", "timestamp="};
    struct value *map = value_new_map();
    for (size_t i = 0; i < pairs->count; i++) {
        const char *pair = pairs->at[i], *sign = strchr(pair, '=');
        char *name = mem_need_text(pair, (size_t)(sign - pair));
        bool number = false;
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++)
            number |= strncmp(pair, numbers[j], strlen(numbers[j])) == 0;
        bool good = !number || is_number(sign + 1);
        if (good)
            value_set(map, name, number ? guess(sign + 1) : value_new_text(sign + 1));
        else
            complain("%s is a number", name);
        free(name);
        if (!good) {
            value_free(&map);
            return NULL;
        }
    }
    return map;
}
