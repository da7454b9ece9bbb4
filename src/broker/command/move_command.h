/* COMMAND_MOVE: messages of a queue are moved in portions (publish/move.h), each by a command, so
 * that the sender of the commands says how fast that goes. Thread: the vhost's owner. */
#ifndef BROKER_MOVE_COMMAND_H
#define BROKER_MOVE_COMMAND_H

struct channel;

/* Ends what the channel has begun to move, if anything. */
void move_command_end(struct channel *channel);

#endif
