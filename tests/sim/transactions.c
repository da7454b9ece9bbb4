/* A commit is on disk whole or not at all. After a crash it is not known which. The first of its
 * messages that is delivered shows that the commit is on disk; the first message that it acked and
 * that comes back shows that it is not. Later deliveries must agree, and of a commit that is on
 * disk no message may be missing. */
#include "leveret/base/mem.h"
#include "sim.h"

unsigned transaction_new(void)
{
    if (here->tx_count == here->tx_room) {
        here->tx_room = here->tx_room ? here->tx_room * 2 : 64;
        here->txs = mem_need_array(here->txs, here->tx_room, sizeof *here->txs);
    }
    here->txs[here->tx_count++] = (struct sim_tx){TX_OPEN};
    return here->tx_count;
}

void transaction_acks(unsigned number, const struct handle *handle)
{
    const struct sim_message *message = &here->messages[handle->uid];
    struct copy *copy = &here->messages[handle->uid].copies[handle->origin];
    /* A dead letter or a delayed message may come a second time from where it was before. */
    bool plain = handle->queue == handle->origin && message->persistent && !message->due_ms;
    copy->acked_in = handle->how == END_ACK && !handle->gone && plain ? number : 0;
}

/* The commit is on disk: copies that were doubtful only for that are not any more. */
static void believe(unsigned number)
{
    for (unsigned uid = 0; uid < here->message_count; uid++) {
        struct sim_message *message = &here->messages[uid];
        for (unsigned q = 0; message->tx == number && q < here->world.queue_count; q++) {
            struct copy *copy = &message->copies[q];
            if (!copy->hinges)
                continue;
            copy->hinges = copy->unsure = copy->refusable = false;
            sim.hinged++;
        }
    }
}

static void learn(unsigned number, bool done, unsigned uid)
{
    struct sim_tx *tx = &here->txs[number - 1];
    int state = done ? TX_DONE : TX_UNDONE;
    if (tx->state != TX_OPEN && (int)tx->state != state)
        sim_fail("message %u says that a commit is%s on disk, and another one that it is%s", uid,
                 done ? "" : " not", done ? " not" : "");
    if (tx->state == TX_OPEN && done)
        believe(number);
    tx->state = done ? TX_DONE : TX_UNDONE;
}

void transaction_delivered(const struct sim_message *message, struct copy *copy, unsigned uid)
{
    if (copy->survivor && message->tx)
        learn(message->tx, true, uid);
    if (copy->survivor && copy->acked_in)
        learn(copy->acked_in, false, uid);
    copy->acked_in = 0;
}

void transaction_answered(unsigned number)
{
    here->txs[number - 1].state = TX_DONE;
}

bool transaction_open(unsigned number)
{
    return number && here->txs[number - 1].state == TX_OPEN;
}
