/* Dead letters: see dead_letter.h. */
#include "dead_letter.h"

void dead_letter(struct lane *lane, struct place place, enum death reason)
{
    (void)reason;
    struct message *message = lane_discard(lane, place);
    message_unref(&message);
}
