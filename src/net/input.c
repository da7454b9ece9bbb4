/* Reading: from a connection's socket to frames.
 *
 * Normal course: the socket is readable → one read into the worker's current block, behind what was
 * left of the last read → the protocol header, once → frame after frame to the owner → the few
 * bytes of an incomplete frame are kept in a buffer of their own, so that a quiet connection holds
 * no block.
 *
 * Connections are treated alike: each is read once a turn, for about the same number of frames, and
 * those that flood take turns (crowd.c). So input of the others, above all a consumer's acks, is
 * seen soon.
 *
 * When the owner has taken references on the block, the next read goes behind what was handed out,
 * or into another block when little room is left. Otherwise the same memory, which is still in the
 * cache, is used again.
 *
 * What can go wrong: a malformed frame (handler.failed with FRAME_ERROR); end of file, a reset
 * (CLOSED); no memory for the rest of the input (NO_MEMORY); the owner pauses in the middle: the
 * rest is kept, and handed out by a task after connection_resume. */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "connection_state.h"
#include "crowd.h"
#include "flush.h"
#include "leveret/base/check.h"
#include "leveret/base/container.h"

/* The least bytes of one read: for a client whose frames are small, and for all while the account's
 * kind "connection_readers" is at its limit. */
#define READ_BYTES_MIN (4ul * 1024)
/* Frames that one read should bring: a small message is three frames, so this is about 800 of them.
 */
#define READ_FRAMES 2400u
/* The same for a connection that is held back (connection_slow). */
#define READ_FRAMES_SLOW 200u
/* Bytes that a block must have left for a read. With less room the next block is used. */
#define READ_ROOM_MIN (64ul * 1024)

/* Bytes of the sentence that says why reading has failed. */
#define FAULT_TEXT_ROOM 256u

/* Milliseconds that the right protocol header may take to leave, when the client's was refused. */
#define CONNECTION_REFUSED_LINGER_MS 1000u

void input_blocks_clear(struct read_blocks *blocks)
{
    for (unsigned i = 0; i < READ_BLOCKS; i++)
        buffer_unref(&blocks->all[i]);
}

/* The next block that no message refers to, or a new one. NULL: no memory. */
static struct buffer *next_block(struct read_blocks *blocks)
{
    unsigned found = (blocks->current + 1) % READ_BLOCKS;
    for (unsigned i = 1; i < READ_BLOCKS; i++) {
        unsigned at = (blocks->current + i) % READ_BLOCKS;
        if (!blocks->all[at] || buffer_sole(blocks->all[at])) {
            found = at;
            break;
        }
    }
    if (blocks->all[found] && !buffer_sole(blocks->all[found]))
        buffer_unref(&blocks->all[found]); /* the last message that refers to it frees it */
    if (!blocks->all[found])
        blocks->all[found] = buffer_new(READ_BLOCK_BYTES);
    if (!blocks->all[found])
        return NULL;
    blocks->current = found;
    blocks->used = 0;
    return blocks->all[found];
}

/* Returns a block with room for held_bytes and READ_ROOM_MIN more, and one reference to it. *from:
 * where its free part begins. NULL: no memory. */
static struct buffer *take_block(struct read_blocks *blocks, size_t held_bytes, size_t *from)
{
    struct buffer *block = blocks->all[blocks->current];
    size_t need = held_bytes + READ_ROOM_MIN;
    *from = 0;
    if (need > READ_BLOCK_BYTES)
        return buffer_new(need); /* a frame that is larger than a block, which is rare */
    if (block && buffer_sole(block))
        blocks->used = 0;
    if (!block || block->capacity - blocks->used < need)
        block = next_block(blocks);
    *from = blocks->used;
    return block ? buffer_ref(block) : NULL;
}

/* Gives back the block that take_block returned. up_to: where the bytes end that were read into it.
 */
static void give_block(struct read_blocks *blocks, struct buffer *block, size_t up_to)
{
    bool shared = block == blocks->all[blocks->current];
    buffer_unref(&block);
    if (shared && !buffer_sole(blocks->all[blocks->current]))
        blocks->used = (up_to + 15) & ~(size_t)15;
}

/* ---- Frames */

static void refuse(struct connection *connection)
{
    uint8_t *at = connection_reserve(connection, PROTOCOL_HEADER_BYTES);
    memcpy(at, protocol_header, PROTOCOL_HEADER_BYTES);
    connection_commit(connection, PROTOCOL_HEADER_BYTES);
    connection_fail(connection, STATUS_CLOSED, "unknown protocol header");
    connection_close(connection, CONNECTION_REFUSED_LINGER_MS);
}

static bool take_protocol_header(struct connection *connection, struct bytes *input)
{
    if (input->len < PROTOCOL_HEADER_BYTES)
        return false;
    uint8_t header[PROTOCOL_HEADER_BYTES];
    memcpy(header, input->at, sizeof header);
    input->at += sizeof header;
    input->len -= sizeof header;
    connection->opened = true;
    if (!connection->handler->opened(connection->context, header)) {
        refuse(connection);
        return false;
    }
    return !connection->stopped;
}

static void fail_frame(struct connection *connection, enum status status, const struct frame *bad)
{
    char text[FRAME_TEXT_ROOM];
    frame_fault_print(&connection->parser, bad, text);
    connection_fail(connection, status, text);
}

/* Hands out frames until input has no whole one left, or the connection is stopped. Returns how
 * many frames. */
static uint64_t hand_out(struct connection *connection, struct bytes *input, struct buffer *owner)
{
    if (!connection->opened && !take_protocol_header(connection, input))
        return 0;
    const struct connection_handler *handler = connection->handler;
    void *context = connection->context;
    uint64_t frames = 0;
    while (!connection->stopped) {
        struct frame frame;
        enum status status = frame_next(&connection->parser, input, &frame);
        if (status == STATUS_AGAIN)
            break;
        if (status != STATUS_OK) {
            fail_frame(connection, status, &frame);
            break;
        }
        frames += frame.last_piece;
        if (__builtin_expect(frame.type == FRAME_HEARTBEAT, 0)) {
            if (frame.channel == 0)
                continue; /* it says only that the peer lives, which read_at_ms knows */
        }
        if (!handler->frame(context, &frame, owner))
            connection->stopped = true;
    }
    connection->counters.received_frames += frames;
    return frames;
}

static void count_held(struct net_worker *worker, size_t before, size_t after)
{
    worker->memory.held_bytes += after - before;
    net_worker_count(worker);
}

/* Keeps the input that was not handed out for later. */
static void hold(struct connection *connection, struct bytes rest)
{
    if (connection->failed || connection->closing || rest.len == 0)
        return;
    connection->held = buffer_new(rest.len);
    if (!connection->held) {
        connection_fail(connection, STATUS_NO_MEMORY, "out of memory");
        return;
    }
    memcpy(connection->held->data, rest.at, rest.len);
    count_held(connection->worker, 0, rest.len);
    connection->held_from = 0;
    connection->held_to = (uint32_t)rest.len;
    connection->held_unread = connection->stopped;
}

void input_drop(struct connection *connection)
{
    if (connection->held)
        count_held(connection->worker, connection->held->capacity, 0);
    buffer_unref(&connection->held);
    connection->held_from = connection->held_to = 0;
    connection->held_unread = false;
}

/* After connection_resume: hands out the input that was left when handing out stopped. */
static void hand_out_held(struct connection *connection)
{
    struct buffer *held = connection->held;
    uint32_t from = connection->held_from;
    struct bytes input = bytes_of(held->data + from, connection->held_to - from);
    count_held(connection->worker, held->capacity, 0);
    connection->held = NULL; /* the owner may close or pause the connection in hand_out */
    connection->held_unread = false;
    hand_out(connection, &input, held);
    if (connection->stopped && !connection->failed && !connection->closing && input.len) {
        connection->held = held;
        count_held(connection->worker, 0, held->capacity);
        connection->held_from = connection->held_to - (uint32_t)input.len;
        connection->held_unread = true;
        return;
    }
    hold(connection, input);
    buffer_unref(&held);
}

void input_task_run(struct loop_task *task)
{
    struct connection *connection = container_of(task, struct connection, input_task);
    CHECK(connection->magic == CONNECTION_MAGIC);
    if (connection->held_unread && !connection->stopped)
        hand_out_held(connection);
}

/* ---- The socket */

/* A read brought nothing: n and errno say why. */
static void read_nothing(struct connection *connection, ssize_t n, int error)
{
    if (n < 0 && (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)) {
        if (connection->transport.wants_write)
            connection_watch(connection, WATCH_WRITE, WATCH_NONE);
        return;
    }
    connection->ended = true;
    connection_watch(connection, WATCH_NONE, WATCH_READ);
    if (n == 0) {
        connection_fail(connection, STATUS_CLOSED, "the client closed the socket");
    } else {
        bool gone = error == ECONNRESET || error == EPIPE || error == ETIMEDOUT;
        const char *fault = error == EPROTO ? transport_fault(&connection->transport) : NULL;
        char text[FAULT_TEXT_ROOM];
        snprintf(text, sizeof text, "%s", fault ? fault : strerrordesc_np(error));
        connection->broken = connection->broken || fault;
        connection->broken = connection->broken || gone;
        connection_fail(connection,
                        fault  ? STATUS_MALFORMED
                        : gone ? STATUS_CLOSED
                               : STATUS_IO,
                        text);
    }
    if (connection->closing)
        flush_schedule(connection);
}

/* After a read that brought as many bytes as it was allowed to, and so many frames: adapts the
 * bytes of the next one. Frames are what costs; bytes cost next to nothing. */
static void adapt_read_limit(struct connection *connection, uint64_t frames)
{
    if (!connection->tuned)
        return;
    uint64_t wanted = connection->slow ? READ_FRAMES_SLOW : READ_FRAMES;
    if (frames > wanted && connection->read_bytes_max > READ_BYTES_MIN)
        connection->read_bytes_max /= 2;
    else if (frames < wanted / 2 && connection->read_bytes_max < READ_BLOCK_BYTES)
        connection->read_bytes_max *= 2;
}

bool input_ended_unread(const struct connection *connection)
{
    struct pollfd state = {.fd = connection->transport.fd, .events = POLLRDHUP};
    return poll(&state, 1, 0) == 1 && state.revents & (POLLRDHUP | POLLHUP | POLLERR);
}

void input_give_up(struct connection *connection)
{
    connection->ended = true;
    connection_watch(connection, WATCH_NONE, WATCH_READ);
    connection_fail(connection, STATUS_CLOSED, "the client closed the socket");
}

static size_t read_socket(struct connection *connection)
{
    struct net_worker *worker = connection->worker;
    struct buffer *held = connection->held;
    size_t held_bytes = held ? connection->held_to - connection->held_from : 0;
    size_t from;
    struct buffer *block = take_block(&worker->blocks, held_bytes, &from);
    if (!block) {
        connection_fail(connection, STATUS_NO_MEMORY, "out of memory");
        return 0;
    }
    uint8_t *at = block->data + from;
    struct transport *transport = &connection->transport;
    size_t room = block->capacity - from - held_bytes;
    size_t bytes_max =
        worker->memory.short_of_readers ? READ_BYTES_MIN : connection->read_bytes_max;
    if (transport_is_tls(transport) && bytes_max < TRANSPORT_READ_MIN)
        bytes_max = TRANSPORT_READ_MIN;
    if (room > bytes_max)
        room = bytes_max;
    ssize_t n = transport->ops->read(transport, at + held_bytes, room);
    if (n <= 0) {
        int error = errno;
        buffer_unref(&block);
        read_nothing(connection, n, error);
        return 0;
    }
    connection->floods = (size_t)n == room || (size_t)n >= FLOOD_BYTES;
    if (held_bytes)
        memcpy(at, held->data + connection->held_from, held_bytes);
    input_drop(connection);
    connection->counters.received_bytes += (uint64_t)n;
    connection->counters.reads++;
    worker->counters.received_bytes += (uint64_t)n;
    worker->counters.reads++;
    connection->read_at_ms = loop_now_ms(worker->loop);
    struct bytes input = bytes_of(at, held_bytes + (size_t)n);
    if (!connection->closing) {
        uint64_t frames = hand_out(connection, &input, block);
        if ((size_t)n == connection->read_bytes_max && !connection->stopped)
            adapt_read_limit(connection, frames);
        hold(connection, input);
    }
    give_block(&worker->blocks, block, from + held_bytes + (size_t)n);
    return (size_t)n;
}

size_t input_read(struct connection *connection)
{
    /* While paused, the socket is watched until input comes: so a short pause costs nothing. */
    if (connection->stopped && !connection->closing) {
        connection_watch(connection, WATCH_NONE, WATCH_READ);
        return 0;
    }
    if (connection->held_unread && !connection->closing) {
        hand_out_held(connection);
        if (connection->stopped)
            return 0;
    }
    return read_socket(connection);
}

void input_readable(struct connection *connection)
{
    if (!crowd_join(connection))
        input_read(connection);
}
