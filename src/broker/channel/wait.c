/* Consumers that wait for what their channel or their peer may take: see wait.h. */
#include "broker/vhost_state.h"

void consumer_wait_init(struct consumer_wait *wait)
{
    TAILQ_INIT(&wait->blocked);
}

void consumer_wait_over(struct vhost *vhost, struct consumer_wait *wait)
{
    if (wait->due || TAILQ_EMPTY(&wait->blocked))
        return;
    wait->due = true;
    TAILQ_INSERT_TAIL(&vhost->waits_due, wait, link);
}

void consumer_wait_end(struct vhost *vhost, struct consumer_wait *wait)
{
    if (wait->due)
        TAILQ_REMOVE(&vhost->waits_due, wait, link);
    wait->due = false;
}
