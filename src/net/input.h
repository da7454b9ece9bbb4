/* Reading: from a connection's socket to frames.
 *
 * Thread: the connection's. */
#ifndef LEVERET_NET_INPUT_H
#define LEVERET_NET_INPUT_H

#include "connection_state.h"

/* Bytes of one read: before it is known how large the client's frames are, and before it has logged
 * in, when a connection should hold next to nothing. Later the number adapts to the frames. */
#define READ_BYTES_FIRST (32ul * 1024)
#define READ_BYTES_EARLY (8ul * 1024)

/* The socket is readable: reads it, or lets it wait in the crowd. */
void input_readable(struct connection *connection);
/* Reads the socket once and hands out the frames. Returns how many bytes came. */
size_t input_read(struct connection *connection);
/* For connection.input_task: hands out what was left when handing out stopped. */
void input_task_run(struct loop_task *task);
/* Drops the input that was not handed out. */
void input_drop(struct connection *connection);

/* Whether the peer sends no more although input is left that nobody reads. */
bool input_ended_unread(const struct connection *connection);
/* Gives that input up: handler.failed(CLOSED). */
void input_give_up(struct connection *connection);

/* Frees the blocks of a worker. */
void input_blocks_clear(struct read_blocks *blocks);

#endif
