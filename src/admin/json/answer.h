/* Answers: JSON that is written value by value. What the query's columns do not name is left out.
 * Thread: one at a time.
 *
 * Names and payloads are bytes from clients: bytes that are not UTF-8 become U+FFFD, so that the
 * output can always be parsed.
 *
 * With capture set nothing is written: the first number or text that the columns name is kept there
 * instead. So a listing can be sorted by a column before anything is written. */
#ifndef LEVERET_ADMIN_ANSWER_H
#define LEVERET_ADMIN_ANSWER_H

#include "leveret/base/text.h"

struct columns;

/* Objects and arrays within each other; deeper ones are left out. Field tables nest up to 64 deep,
 * and the objects around them less than 8. */
#define ANSWER_DEPTH_MAX 96u

enum captured_kind { CAPTURED_NOTHING, CAPTURED_NUMBER, CAPTURED_TEXT };
struct captured {
    enum captured_kind kind;
    double number;
    struct text text;
};

struct answer {
    struct text text;
    const struct columns *columns; /* NULL: everything is wanted */
    struct captured *capture;      /* NULL: values are written, not captured */
    unsigned depth;                /* objects and arrays that are open */
    struct {
        uint64_t mask;  /* the columns that fit the keys so far; all bits: all below is wanted */
        unsigned names; /* how many keys lead here from the top */
        bool array;     /* true: an array; false: an object */
        bool some;      /* true when something has been written into it: a comma comes next */
    } level[ANSWER_DEPTH_MAX];
};

/* An empty answer is all zeros. Frees its text. */
void answer_free(struct answer *answer);

/* Begins an object or array; key is NULL at the top and in arrays. Returns false when it is not
 * wanted: the caller writes nothing into it and does not end it. */
bool answer_object(struct answer *answer, const char *key);
bool answer_array(struct answer *answer, const char *key);
bool answer_object_bytes(struct answer *answer, struct bytes key);
bool answer_array_bytes(struct answer *answer, struct bytes key);
/* Ends the object or array that was begun last. */
void answer_end(struct answer *answer);

/* Returns true when the key would be written in the object that is open. To be asked before costly
 * work. */
bool answer_wants(const struct answer *answer, const char *key);

void answer_text(struct answer *answer, const char *key, const char *value);
void answer_bytes(struct answer *answer, const char *key, struct bytes value);
void answer_uint(struct answer *answer, const char *key, uint64_t value);
void answer_real(struct answer *answer, const char *key, double value);
void answer_bool(struct answer *answer, const char *key, bool value);
/* Writes a value that is JSON already. */
void answer_json(struct answer *answer, const char *key, const char *json);
void answer_null(struct answer *answer, const char *key);
/* The same with keys that are bytes: the names of arguments. */
void answer_keyed_bytes(struct answer *answer, struct bytes key, struct bytes value);
void answer_keyed_int(struct answer *answer, struct bytes key, int64_t value);
void answer_keyed_real(struct answer *answer, struct bytes key, double value);
void answer_keyed_bool(struct answer *answer, struct bytes key, bool value);
void answer_keyed_null(struct answer *answer, struct bytes key);

#endif
