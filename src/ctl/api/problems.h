/* What the broker tells of entries of a file of definitions, one line each. */
#ifndef LEVERETCTL_PROBLEMS_H
#define LEVERETCTL_PROBLEMS_H

struct value;

/* Prints to stderr the objects {path, name, vhost, why} of an answer's list under key, each behind
 * the word before, and how many were not told (key_more). */
void problems_complain(const struct value *answer, const char *key, const char *key_more,
                       const char *before);

#endif
