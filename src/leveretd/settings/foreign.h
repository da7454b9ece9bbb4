/* Keys of RabbitMQ's files that have no effect in Leveret: those that need none, and those that ask
 * for a feature that Leveret does not have. One constant table says which, and why. Keys that work
 * are in keys_AREA.c. Thread: any; the table is constant. */
#ifndef LEVERETD_FOREIGN_H
#define LEVERETD_FOREIGN_H

#include <stdbool.h>

struct foreign_key {
    /* As a key's name (key.h): a part that begins with $ stands for any text. */
    const char *name;
    bool missing; /* true: the feature is not here; false: needless */
    /* Of a needless key why, in a few words ("no Erlang here"); of a missing one the name of the
     * feature ("MQTT"). */
    const char *why;
    /* Values of a missing key that ask for nothing, separated by spaces ("false"): such a value is
     * taken. NULL: each value asks for the feature. */
    const char *harmless;
};

/* Ends with a row without a name. Where two rows fit a name, the earlier counts. */
extern const struct foreign_key foreign_keys[];

/* NULL: no row fits. */
const struct foreign_key *foreign_find(const char *name);
/* True when the value asks for a feature that is not here. */
bool foreign_is_missing(const struct foreign_key *key, const char *value);

#endif
