/* Headers in which the broker notes something for itself. They stay with a stored message, and its
 * receivers do not see them (copies_shown). Thread: any. */
#ifndef BROKER_OWN_HEADERS_H
#define BROKER_OWN_HEADERS_H

/* How many messages there are of a dead letter's original: publish/offspring.h. */
#define OFFSPRING_HEADER "x-leveret-offspring"
/* A client wrote the x-death of this message: publish/dead_letter_headers.h. */
#define DEATHS_DISOWNED_HEADER "x-leveret-deaths-disowned"

#endif
