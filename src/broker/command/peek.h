/* Peek (COMMAND_PEEK): messages of a queue are shown, and nothing changes: not their order, marks
 * or counts, not their expiry, not what is in memory, and no counter. Thread: the vhost's owner.
 *
 * Normal course: the messages are picked by their place (queue/pick.h); when unacked messages are
 * among them, the channels are looked through for their deliveries, in portions; then the picked
 * messages are shown chunk by chunk, each chunk that is not in memory after it has been read
 * (store/page_reader.h). The reply follows the last one.
 *
 * What can go wrong: a message leaves meanwhile: it is not shown. The queue is deleted, or its
 * messages cannot be read: the channel fails. The channel ends: peek_end. */
#ifndef BROKER_PEEK_H
#define BROKER_PEEK_H

struct channel;

/* Drops the channel's COMMAND_PEEK that is under way, if there is one. */
void peek_end(struct channel *channel);

#endif
