/* Reads and writes the bytes of a connection under load.
 *
 * Normal course: peer_read reads from the socket, walks over the frames in the buffer and tells the
 * lanes; it skips bodies in the pieces in which they arrive. peer_write sends queued methods first
 * (acks, calls), then whole messages of the lanes in turn; the rest of a message that the socket
 * did not take goes before anything else. What can go wrong: a close from the broker, the end of
 * the stream, a malformed frame: an error with a text in client->why, and the whole load ends. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "leveret/base/clock.h"
#include "leveret/wire/frame.h"

/* Most chunks in one call of peer_write, so that other peers get their turn. */
#define ROUNDS_MAX 4u

static enum status broken(struct peer *peer, enum status status, const char *what)
{
    snprintf(peer->client->why, sizeof peer->client->why, "%s", what);
    return status;
}

static void message_complete(struct peer *peer, struct lane *lane, uint64_t now_ns)
{
    if (lane->returned) {
        figure_add(peer->figures, FIGURE_RETURNED, 1);
    } else if (lane->state != LANE_DONE && lane->kind == LANE_CONSUMER) {
        consumer_received(lane, peer->client, now_ns);
        peer->received++;
    }
    lane->stamp_ns = 0;
    lane->returned = false;
}

/* Decodes of basic.deliver only the delivery tag and the redelivered flag. */
static bool on_deliver(struct peer *peer, struct lane *lane, struct reader *r)
{
    read_short_string(r);
    lane->tag = read_u64(r);
    if (read_u8(r))
        figure_add(peer->figures, FIGURE_REDELIVERED, 1);
    return !r->failed;
}

static enum status on_other(struct peer *peer, struct lane *lane, struct bytes payload,
                            uint64_t now_ns)
{
    struct method m;
    if (method_decode(payload, &m))
        return broken(peer, STATUS_MALFORMED, "a method that cannot be read");
    char *why = peer->client->why;
    switch (m.id) {
    case METHOD_BASIC_CONSUME_OK:
        if (lane && lane->kind == LANE_CONSUMER)
            consumer_accepted(lane);
        return STATUS_OK;
    case METHOD_BASIC_QOS_OK:
        if (lane && lane->kind == LANE_PUBLISHER)
            publisher_synced(lane, now_ns);
        return STATUS_OK;
    case METHOD_TX_COMMIT_OK:
        if (lane && lane->kind == LANE_PUBLISHER)
            publisher_committed(lane, now_ns);
        return STATUS_OK;
    case METHOD_BASIC_RETURN:
        if (lane)
            lane->returned = true;
        return STATUS_OK;
    case METHOD_CONNECTION_BLOCKED:
        figure_add(peer->figures, FIGURE_BLOCKED, 1);
        return STATUS_OK;
    case METHOD_BASIC_CANCEL:
        return broken(peer, STATUS_CLOSED, "the broker cancelled a consumer");
    case METHOD_CHANNEL_CLOSE:
        snprintf(why, CLIENT_WHY_MAX, "channel closed: %u %.*s", m.u.channel_close.reply_code,
                 BYTES_PRINT(m.u.channel_close.reply_text));
        return STATUS_CLOSED;
    case METHOD_CONNECTION_CLOSE:
        snprintf(why, CLIENT_WHY_MAX, "connection closed: %u %.*s", m.u.connection_close.reply_code,
                 BYTES_PRINT(m.u.connection_close.reply_text));
        return STATUS_CLOSED;
    default:
        return STATUS_OK;
    }
}

static enum status on_method(struct peer *peer, struct lane *lane, struct bytes payload,
                             uint64_t now_ns)
{
    struct reader r = reader_of(payload);
    uint32_t id = read_u32(&r);
    if (!lane || (id != METHOD_BASIC_DELIVER && id != METHOD_BASIC_ACK && id != METHOD_BASIC_NACK))
        return on_other(peer, lane, payload, now_ns);
    if (id == METHOD_BASIC_DELIVER)
        return on_deliver(peer, lane, &r) ? STATUS_OK
                                          : broken(peer, STATUS_MALFORMED, "a short delivery");
    uint64_t tag = read_u64(&r);
    bool multiple = read_u8(&r) & 1;
    publisher_confirmed(lane, tag, multiple, id == METHOD_BASIC_NACK, now_ns);
    return STATUS_OK;
}

/* Skips n bytes of a body frame. */
static void skip_body(struct peer *peer, size_t n, uint64_t now_ns)
{
    peer->skip -= (uint32_t)n;
    if (peer->skip == 0 && peer->skip_lane && peer->skip_lane->body_left == 0)
        message_complete(peer, peer->skip_lane, now_ns);
}

/* Begins a body frame whose header is at `at`; have bytes of it have arrived. Returns how many it
 * has used, 0 when more are needed. */
static size_t begin_body(struct peer *peer, struct lane *lane, const uint8_t *at, size_t have,
                         uint32_t len)
{
    if (lane && lane->stamp_ns == 0 && len >= sizeof lane->stamp_ns) {
        if (have < FRAME_HEADER_BYTES + sizeof lane->stamp_ns)
            return 0;
        memcpy(&lane->stamp_ns, at + FRAME_HEADER_BYTES, sizeof lane->stamp_ns);
    }
    if (lane)
        lane->body_left -= len < lane->body_left ? len : lane->body_left;
    peer->skip = len + FRAME_END_BYTES;
    peer->skip_lane = lane;
    return FRAME_HEADER_BYTES;
}

static enum status on_header(struct peer *peer, struct lane *lane, struct bytes payload,
                             uint64_t now_ns)
{
    struct reader r = reader_of(payload);
    read_u32(&r);
    uint64_t body_bytes = read_u64(&r);
    if (r.failed || !lane)
        return broken(peer, STATUS_MALFORMED, "an unexpected content header");
    lane->body_left = body_bytes;
    if (body_bytes == 0)
        message_complete(peer, lane, now_ns);
    return STATUS_OK;
}

/* Walks over the frames in at[0..have); *used: the bytes that are not needed any more. */
static enum status walk(struct peer *peer, const uint8_t *at, size_t have, size_t *used,
                        uint64_t now_ns)
{
    const uint8_t *begin = at;
    enum status status = STATUS_OK;
    while (!status) {
        if (peer->skip) {
            size_t n = have < peer->skip ? have : peer->skip;
            skip_body(peer, n, now_ns);
            at += n;
            have -= n;
        }
        if (have < FRAME_HEADER_BYTES)
            break;
        struct reader r = {at, at + FRAME_HEADER_BYTES, false};
        uint8_t type = read_u8(&r);
        uint16_t channel = read_u16(&r);
        uint32_t len = read_u32(&r);
        struct lane *lane =
            channel >= 1 && channel <= peer->lane_count ? &peer->lanes[channel - 1] : NULL;
        if (len > CLIENT_FRAME_MAX * 8) {
            status = broken(peer, STATUS_MALFORMED, "a frame without end");
            break;
        }
        size_t whole = len + FRAME_OVERHEAD_BYTES;
        if (type == FRAME_BODY) {
            whole = begin_body(peer, lane, at, have, len);
            if (whole == 0)
                break;
        } else if (have < whole) {
            break;
        } else if (at[whole - 1] != FRAME_END) {
            status = broken(peer, STATUS_MALFORMED, "a frame without its end octet");
        } else if (type == FRAME_METHOD) {
            status = on_method(peer, lane, bytes_of(at + FRAME_HEADER_BYTES, len), now_ns);
        } else if (type == FRAME_HEADER) {
            status = on_header(peer, lane, bytes_of(at + FRAME_HEADER_BYTES, len), now_ns);
        }
        at += whole;
        have -= whole;
    }
    *used = (size_t)(at - begin);
    return status;
}

enum status peer_read(struct peer *peer)
{
    struct client *client = peer->client;
    client_compact(client);
    /* The method is larger than the room, since tables may be long. */
    if (client->in_len == client->in_room)
        client_grow(client, client->in_room * 2);
    size_t room = client->in_room - client->in_len;
    ssize_t n = client_read(client, client->in + client->in_len, room);
    if (n == 0) {
        peer->closed = true;
        return broken(peer, STATUS_CLOSED, "the broker closed the socket");
    }
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            peer->readable = errno == EINTR;
            return STATUS_OK;
        }
        peer->closed = true;
        return broken(peer, STATUS_IO, strerror(errno));
    }
    if ((size_t)n < room)
        peer->readable = false;
    client->in_len += (size_t)n;
    size_t used;
    uint64_t now_ns = clock_steady_ns();
    peer->received = 0;
    enum status status = walk(peer, client->in + client->in_from, client->in_len, &used, now_ns);
    if (peer->received) {
        figure_add(peer->figures, FIGURE_RECEIVED, peer->received);
        atomic_store_explicit(&peer->run->received_ns, now_ns, memory_order_relaxed);
    }
    client->in_from += used;
    client->in_len -= used;
    return status;
}

/* Sends bytes. Returns the number that the socket took, or -1 with *status set (OK when the socket
 * is full). */
static ssize_t push(struct peer *peer, struct bytes bytes, enum status *status)
{
    ssize_t n = client_write(peer->client, bytes.at, bytes.len);
    if (n >= 0)
        return n;
    if (errno == EAGAIN || errno == EINTR) {
        peer->writable = errno == EINTR;
        return -1;
    }
    /* The broker may have sent the reason before it closed, which peer_read will find. */
    peer->writable = false;
    if (errno != EPIPE && errno != ECONNRESET)
        *status = broken(peer, STATUS_IO, strerror(errno));
    return -1;
}

/* Sends queued methods. Returns false when the socket did not take all of them. */
static bool push_queued(struct peer *peer, enum status *status)
{
    struct text *out = &peer->client->out;
    if (!out->len)
        return true;
    ssize_t n = push(peer, text_bytes(out), status);
    if (n < 0)
        return false;
    memmove(out->at, out->at + n, out->len - (size_t)n);
    out->len -= (size_t)n;
    return out->len == 0;
}

/* Chooses the next lane that may send, and puts its bytes into peer->rest. */
static bool choose(struct peer *peer, uint64_t *wake_ns)
{
    uint64_t now_ns = clock_steady_ns();
    for (unsigned i = 0; i < peer->lane_count; i++) {
        struct lane *lane = &peer->lanes[peer->turn];
        peer->turn = peer->turn + 1 == peer->lane_count ? 0 : peer->turn + 1;
        if (lane->kind != LANE_PUBLISHER)
            continue;
        uint64_t allowed = publisher_allowance(lane, now_ns, wake_ns);
        if (allowed) {
            peer->rest = publisher_take(lane, allowed, now_ns);
            peer->writing = lane;
            return true;
        }
        publisher_idle(lane, peer->client, now_ns);
    }
    return false;
}

enum status peer_write(struct peer *peer, uint64_t *wake_ns, bool *more)
{
    enum status status = STATUS_OK;
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        if (!peer->writing) {
            if (!push_queued(peer, &status))
                return status;
            if (!choose(peer, wake_ns)) {
                if (peer->client->out.len)
                    push_queued(peer, &status);
                return status;
            }
        }
        ssize_t n = push(peer, peer->rest, &status);
        if (n < 0)
            return status;
        peer->rest = bytes_of(peer->rest.at + n, peer->rest.len - (size_t)n);
        publisher_sent(peer->writing, peer->rest.len);
        if (peer->rest.len == 0)
            peer->writing = NULL;
    }
    *more = peer->writable;
    return status;
}
