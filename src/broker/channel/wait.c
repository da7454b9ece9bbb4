/* Consumers that wait for their channel or their peer: see wait.h. */
#include "broker/channel/wait.h"

#include "broker/channel/channels.h"

void wait_init(struct consumer_wait *wait)
{
    TAILQ_INIT(&wait->blocked);
}

void wait_over(struct channels *channels, struct consumer_wait *wait)
{
    if (wait->due || TAILQ_EMPTY(&wait->blocked))
        return;
    wait->due = true;
    TAILQ_INSERT_TAIL(&channels->waits_due, wait, link);
}

void wait_end(struct channels *channels, struct consumer_wait *wait)
{
    if (wait->due)
        TAILQ_REMOVE(&channels->waits_due, wait, link);
    wait->due = false;
}
