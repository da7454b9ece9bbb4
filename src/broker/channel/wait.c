/* Consumers that wait for what their channel or their peer may take: see wait.h. */
#include "broker/channel/channels.h"

void wait_init(struct consumer_wait *wait)
{
    TAILQ_INIT(&wait->blocked);
}

void wait_over(struct channels *set, struct consumer_wait *wait)
{
    if (wait->due || TAILQ_EMPTY(&wait->blocked))
        return;
    wait->due = true;
    TAILQ_INSERT_TAIL(&set->waits_due, wait, link);
}

void wait_end(struct channels *set, struct consumer_wait *wait)
{
    if (wait->due)
        TAILQ_REMOVE(&set->waits_due, wait, link);
    wait->due = false;
}
