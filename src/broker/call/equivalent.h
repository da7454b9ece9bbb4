/* Whether a declaration is equivalent to the object that exists already.
 * Thread: the vhost's owner. */
#ifndef BROKER_EQUIVALENT_H
#define BROKER_EQUIVALENT_H

#include "broker/call/refuse.h"

/* A client declares an object that exists already: the object, and where a refusal is written. */
struct equivalence {
    struct refusal *refusal;
    const char *kind; /* "queue" or "exchange" */
    struct bytes name, vhost;
};
/* Each checks whether one attribute of the declaration (received) is that of the object (current).
 * Errors: PRECONDITION_FAILED "inequivalent arg 'durable' for queue 'q' in vhost '/': received
 * 'false' but current is 'true'". */
MUST_USE enum status equivalent_flag(const struct equivalence *check, const char *key,
                                     bool received, bool current);
MUST_USE enum status equivalent_text(const struct equivalence *check, const char *key,
                                     struct bytes received, struct bytes current);
/* Compares one key of two checked argument tables; integers are equal by value, whatever their
 * width. Errors: PRECONDITION_FAILED "…: received none but current is the value '10' of type
 * 'signedint'". */
MUST_USE enum status equivalent_argument(const struct equivalence *check, const char *key,
                                         struct bytes received, struct bytes current);

#endif
