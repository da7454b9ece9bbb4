/* Writes JSON, a value at a time, leaving out what the query's columns do not name. Any one thread.
 *
 * Names and payloads are bytes from clients: what is no UTF-8 becomes U+FFFD, so that the output
 * always parses.
 *
 * With capture set nothing is written: the first leaf that the columns name is kept instead. That
 * is how a listing is sorted by a column without building what nobody asked for. */
#ifndef LEVERET_ADMIN_ANSWER_H
#define LEVERET_ADMIN_ANSWER_H

#include "leveret/base/text.h"

struct columns;

#define ANSWER_DEPTH_MAX 96u /* field tables nest up to 64 deep, our objects less than 8 */

enum captured_kind { CAPTURED_NOTHING, CAPTURED_NUMBER, CAPTURED_TEXT };
struct captured {
    enum captured_kind kind;
    double number;
    struct text text;
};

struct answer {
    struct text text;
    const struct columns *columns; /* NULL: all */
    struct captured *capture;      /* NULL: write */
    unsigned depth;
    struct {
        uint64_t mask;  /* columns that still match; all bits: everything below is wanted */
        unsigned names; /* keys from the row down to here */
        bool array, some;
    } level[ANSWER_DEPTH_MAX];
};

/* An empty answer is all zeros. */
void answer_free(struct answer *answer);

/* Begin an object or array; key is NULL at the top and in arrays. False: not wanted; write nothing
 * into it and do not end it. */
bool answer_object(struct answer *answer, const char *key);
bool answer_array(struct answer *answer, const char *key);
bool answer_object_bytes(struct answer *answer, struct bytes key);
bool answer_array_bytes(struct answer *answer, struct bytes key);
void answer_end(struct answer *answer);

/* Whether the key would be written in the object that is open: asked before costly work. */
bool answer_wants(const struct answer *answer, const char *key);

void answer_text(struct answer *answer, const char *key, const char *value);
void answer_bytes(struct answer *answer, const char *key, struct bytes value);
void answer_uint(struct answer *answer, const char *key, uint64_t value);
void answer_real(struct answer *answer, const char *key, double value);
void answer_bool(struct answer *answer, const char *key, bool value);
/* A value that is JSON already. */
void answer_json(struct answer *answer, const char *key, const char *json);
void answer_null(struct answer *answer, const char *key);
/* The same with keys that are bytes (argument names). */
void answer_keyed_bytes(struct answer *answer, struct bytes key, struct bytes value);
void answer_keyed_int(struct answer *answer, struct bytes key, int64_t value);
void answer_keyed_real(struct answer *answer, struct bytes key, double value);
void answer_keyed_bool(struct answer *answer, struct bytes key, bool value);
void answer_keyed_null(struct answer *answer, struct bytes key);

#endif
