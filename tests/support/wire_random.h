/* Random wire values for tests: strings, tables, properties, methods, from a stream with a seed. */
#ifndef LEVERET_TESTS_WIRE_RANDOM_H
#define LEVERET_TESTS_WIRE_RANDOM_H

#include "leveret/base/random.h"
#include "leveret/wire/method.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/table.h"

/* What the views in random values point into. Emptied by setting used to 0; a value that no longer
 * fits becomes an empty one. */
struct wire_random {
    struct random_stream stream;
    size_t used;
    uint8_t room[1 << 16];
};

/* The seed: that of the environment's variable LEVERET_SEED, otherwise a fresh one. Printed. */
uint64_t wire_random_seed(const char *program);

uint64_t random_below(struct wire_random *r, uint64_t limit);
struct bytes random_view(struct wire_random *r, size_t len);
struct bytes random_short_string(struct wire_random *r);
/* A well-formed table's contents, nested at most depth deep. */
struct bytes random_table(struct wire_random *r, unsigned depth);
/* A random value of one of the types, nested at most depth deep. */
struct field random_field(struct wire_random *r, unsigned depth);
void random_properties(struct wire_random *r, struct properties *out);
void random_method(struct wire_random *r, enum method_id id, struct method *out);

bool methods_same(const struct method *a, const struct method *b);
bool properties_same(const struct properties *a, const struct properties *b);

#endif
