/* Direct replies: a channel consumes from amq.rabbitmq.reply-to, what it publishes with that as its
 * reply-to carries a name of the consumer's own, and what is published to this name is delivered to
 * the consumer at once, or to nobody. Names are taken from consumers of this vhost and of others,
 * present and past. */
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "sim.h"

#define PSEUDO_QUEUE "amq.rabbitmq.reply-to"

static bool is_alive(const struct sim_message *message)
{
    return message->answers && here->askers[message->answers - 1].alive;
}

/* ---- Consumers. */

static void consume_replies(unsigned p, unsigned c)
{
    struct sim_channel *channel = &here->channels[p][c];
    if (here->asker_count == here->asker_room) {
        here->asker_room = here->asker_room ? here->asker_room * 2 : 16;
        here->askers = mem_need_array(here->askers, here->asker_room, sizeof *here->askers);
    }
    here->askers[here->asker_count++] = (struct sim_asker){.alive = true, .p = p, .c = c};
    channel->asker = here->asker_count;
    sim_trail("%s consumes replies, as asker %u", who_of(p, c), channel->asker);
    do_consume(&here->h, who_of(p, c), PSEUDO_QUEUE, REPLY_CONSUMER, "", 0);
}

static void cancel_replies(unsigned p, unsigned c)
{
    sim_trail("%s cancels replies", who_of(p, c));
    replies_over(&here->channels[p][c]);
    do_cancel(&here->h, who_of(p, c), REPLY_CONSUMER);
}

/* With acks, beside another consumer, or none at all to a question: each fails the channel. */
static void consume_wrongly(unsigned p, unsigned c)
{
    struct sim_channel *channel = &here->channels[p][c];
    if (channel->gets || channel->committing || holds_batch() || p + c == 1)
        return;
    sim_trail("%s %s", who_of(p, c),
              channel->asker ? "consumes replies twice" : "consumes replies with acks");
    sync_all(); /* so that the refusal does not wait for other answers */
    channel->may_fail = true;
    do_consume(&here->h, who_of(p, c), PSEUDO_QUEUE, REPLY_CONSUMER + 1, channel->asker ? "" : "a",
               0);
    channel->may_fail = false;
    if (!channel->failed && !here->h.halted)
        sim_fail("%s consumes replies as it must not", who_of(p, c));
}

void replies_over(struct sim_channel *channel)
{
    if (channel->asker)
        here->askers[channel->asker - 1].alive = false;
    channel->asker = 0;
}

/* ---- Questions. */

/* A question is delivered with a name that belongs only to its asker. */
void replies_question(const struct sim_message *message, unsigned uid, struct bytes reply_to)
{
    if (!message->asks) {
        if (reply_to.len)
            sim_fail("message %u asks nobody and has a reply-to", uid);
        return;
    }
    struct sim_asker *asker = &here->askers[message->asks - 1];
    if (!bytes_start_with(reply_to, PSEUDO_QUEUE ".") || reply_to.len >= sizeof asker->name)
        sim_fail("message %u has the reply-to '%.*s'", uid, BYTES_PRINT(reply_to));
    if (asker->name[0] && !bytes_equal_text(reply_to, asker->name))
        sim_fail("message %u has another reply-to than asker %u had", uid, message->asks);
    for (unsigned v = 0; v < sim.vhost_count; v++)
        for (unsigned i = 0; i < sim.vhosts[v].asker_count; i++) {
            const struct sim_asker *other = &sim.vhosts[v].askers[i];
            if (other != asker && bytes_equal_text(reply_to, other->name))
                sim_fail("askers %u of %s and %u have the same name", i + 1, sim.vhosts[v].name,
                         message->asks);
        }
    memcpy(asker->name, reply_to.at, reply_to.len);
    asker->name[reply_to.len] = '\0';
}

/* ---- Answers. */

static void answer(unsigned p, unsigned c)
{
    struct sim_vhost *of = chance(80) ? here : &sim.vhosts[pick(sim.vhost_count)];
    unsigned number = of->asker_count ? pick(of->asker_count) : 0;
    if (chance(60)) /* most were long ago */
        number = of->asker_count - 1 - number % (of->asker_count < 4 ? of->asker_count + 1 : 4);
    if (number >= of->asker_count || !of->askers[number].name[0])
        return;
    struct sim_channel *channel = &here->channels[p][c];
    unsigned uid = ledger_new();
    struct sim_message *message = &here->messages[uid];
    message->answers = of == here ? number + 1 : 0;
    message->persistent = chance(50);
    message->mandatory = chance(50);
    message->loose = channel->tx || is_alive(message);
    sim_trail("%s publish %u, an answer to asker %u of %s%s", who_of(p, c), uid, number + 1,
              of->name, is_alive(message) ? "" : ", who is gone");
    struct command command = {.type = COMMAND_PUBLISH, .channel = (uint16_t)c};
    command.u.publish.mandatory = message->mandatory;
    command.u.publish.message =
        make_message(uid, "", of->askers[number].name, &(struct text){0}, MESSAGE_NO_TTL);
    if (channel->tx || channel->confirm)
        uid_add(&channel->published, uid);
    if (!channel->tx)
        ledger_published(uid);
    harness_do(&here->h, (char)('A' + p), &command);
    if (!channel->tx)
        replies_check(uid);
}

void replies_check(unsigned uid)
{
    const struct sim_message *message = &here->messages[uid];
    if (is_alive(message) && !message->answer_came && !here->h.halted)
        sim_fail("message %u, an answer, is lost", uid);
}

void replies_delivered(int p, unsigned c, const struct event *event)
{
    unsigned uid = message_number(event->u.deliver.message);
    struct sim_message *message = &here->messages[uid];
    if (!is_alive(message) || !message->order)
        sim_fail("message %u is delivered as an answer", uid);
    const struct sim_asker *asker = &here->askers[message->answers - 1];
    if ((int)asker->p != p || asker->c != c)
        sim_fail("message %u, an answer to %s, comes to %s", uid, who_of(asker->p, asker->c),
                 who_of((unsigned)p, c));
    if (message->answer_came || event->u.deliver.redelivered)
        sim_fail("message %u, an answer, comes twice", uid);
    message->answer_came = true;
    sim.answers++;
    here->owed[p] += delivery_bytes(event->u.deliver.message);
}

void replies_returned(unsigned uid)
{
    if (is_alive(&here->messages[uid]))
        sim_fail("message %u, an answer that is waited for, came back", uid);
}

/* ---- Chosen. */

void replies(unsigned p, unsigned c)
{
    unsigned dice = pick(100);
    const struct sim_channel *channel = &here->channels[p][c];
    if (dice < 75)
        answer(p, c);
    else if (dice < 77)
        consume_wrongly(p, c);
    else if (!channel->asker)
        consume_replies(p, c);
    else if (dice > 94)
        cancel_replies(p, c);
}
