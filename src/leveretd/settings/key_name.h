/* Names of keys: patterns with parts that stand for any text, and what a misspelled name may mean.
 * Thread: any. */
#ifndef LEVERETD_KEY_NAME_H
#define LEVERETD_KEY_NAME_H

#include <stdbool.h>

/* Whether the name fits the pattern (key.h says how a pattern is written). *rest is then the name
 * from what the first $ stands for, or its end. */
bool key_name_fits(const char *pattern, const char *name, const char **rest);

/* The known name that is nearest to this unknown one, which the caller frees; NULL: none is near.
 * Parts that stand for any text are taken from the unknown name. */
char *key_name_nearest(const char *name);

/* The length of the name before the first part that stands for any text, without the dot. */
int key_name_stem_len(const char *pattern);

#endif
