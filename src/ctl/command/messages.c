/* Publishing and getting messages. All bodies are sent in base64. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"
#include "ctl/options/pairs.h"
#include "ctl/output/rows.h"
#include "leveret/base/base64.h"

/* Bytes of a body; a longer one is refused. */
#define BODY_BYTES_MAX ((size_t)512 << 20)

/* Reads standard input to its end. Returns false after printing an error. */
static bool read_input(struct text *out)
{
    size_t got;
    do {
        got = fread(text_reserve(out, 65536), 1, 65536, stdin);
        out->len += got;
    } while (got && out->len <= BODY_BYTES_MAX);
    if (ferror(stdin))
        complain("standard input: %s", strerror(errno));
    else if (out->len > BODY_BYTES_MAX)
        complain("the body is longer than %zu bytes", BODY_BYTES_MAX);
    return !ferror(stdin) && out->len <= BODY_BYTES_MAX;
}

/* Returns NULL after printing an error, when a pair is wrong. */
static struct value *read_properties(const struct options *o)
{
    struct value *properties = pairs_properties(option_pairs(o, OPTION_PROPERTY));
    struct value *headers = properties ? pairs_typed(option_pairs(o, OPTION_HEADER)) : NULL;
    if (!headers) {
        value_free(&properties);
        return NULL;
    }
    if (option_given(o, OPTION_PERSISTENT))
        value_set(properties, "delivery_mode", value_new_int(2));
    if (option_given(o, OPTION_HEADER))
        value_set(properties, "headers", headers);
    else
        value_free(&headers);
    return properties;
}

static enum outcome publish(struct session *s, struct value *properties, struct bytes body)
{
    const char *exchange = s->args[0];
    struct text encoded = {0};
    struct value *message = value_new_map(), *answer = NULL;
    base64_encode(&encoded, body);
    text_add(&encoded, "", 1);
    value_set(message, "properties", properties);
    value_set(message, "routing_key", value_new_text(s->args[1]));
    value_set(message, "payload_encoding", value_new_text("base64"));
    value_set(message, "payload", value_new_text((const char *)encoded.at));
    text_free(&encoded);
    const struct api_request request = {
        .method = "POST",
        .path = api_path("exchanges", s->options->vhost, exchange, "publish", NULL),
        .body = message,
        .what = "exchange",
        .which = exchange,
        .in_vhost = true};
    enum outcome outcome = api_call(s, &request, &answer);
    if (outcome == OUTCOME_OK && !value_true(value_get(answer, "routed"))) {
        complain("no queue took the message");
        outcome = OUTCOME_REFUSED;
    }
    value_free(&answer);
    return outcome;
}

static enum outcome run_publish(struct session *session)
{
    const char *argument = session_arg(session, 2);
    struct text input = {0};
    struct value *properties = read_properties(session->options);
    enum outcome outcome = OUTCOME_LOCAL;
    if (!properties)
        return OUTCOME_USAGE;
    if (argument || read_input(&input))
        outcome =
            publish(session, properties, argument ? bytes_of_text(argument) : text_bytes(&input));
    else
        value_free(&properties);
    text_free(&input);
    return outcome;
}

/* ---- Getting. */

static void print_raw(const struct value *messages)
{
    for (size_t i = 0; i < value_count(messages); i++) {
        const struct value *message = value_at(messages, i);
        const char *encoding = value_text(value_get(message, "payload_encoding"));
        struct bytes payload = value_bytes(value_get(message, "payload"));
        bool coded = encoding && strcmp(encoding, "base64") == 0;
        size_t len = 0;
        uint8_t *plain = coded ? base64_decode(payload, &len) : NULL;
        if (coded)
            payload = bytes_of(plain, plain ? len : 0);
        fwrite(payload.at, 1, payload.len, stdout);
        free(plain);
    }
}

static void print_messages(const struct options *o, const struct value *messages)
{
    static const struct column columns[] = {
        {"exchange", "exchange"},
        {"routing_key", "routing_key"},
        {"redelivered", "redelivered"},
        {"properties", "properties"},
        {"bytes", "payload_bytes"},
        {"encoding", "payload_encoding"},
        {"body", "payload"},
    };
    struct rows rows;
    rows_begin(&rows, &o->style, columns, sizeof columns / sizeof *columns, true);
    for (size_t i = 0; i < value_count(messages); i++)
        rows_add(&rows, value_at(messages, i));
    rows_end(&rows);
}

/* The API's name of an acknowledgement mode. */
static const char *ack_mode(const char *mode)
{
    static const char *const modes[][2] = {{"ack", "ack_requeue_false"},
                                           {"reject", "reject_requeue_false"}};
    for (size_t i = 0; mode && i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i][0], mode) == 0)
            return modes[i][1];
    return "ack_requeue_true";
}

static enum outcome run_get(struct session *session)
{
    const struct options *o = session->options;
    const char *mode = ack_mode(option_text(o, OPTION_ACK_MODE));
    struct value *body, *messages = NULL;
    body = value_new_map();
    value_set(body, "ackmode", value_new_text(mode));
    value_set(body, "count", value_new_int(option_number(o, OPTION_COUNT, 1)));
    value_set(body, "encoding", value_new_text(option_given(o, OPTION_RAW) ? "base64" : "auto"));
    const struct api_request request = {
        .method = "POST",
        .path = api_path("queues", o->vhost, session->args[0], "get", NULL),
        .body = body,
        .what = "queue",
        .which = session->args[0],
        .in_vhost = true};
    enum outcome outcome = api_call(session, &request, &messages);
    if (outcome == OUTCOME_OK && option_given(o, OPTION_RAW))
        print_raw(messages);
    else if (outcome == OUTCOME_OK)
        print_messages(o, messages);
    value_free(&messages);
    return outcome;
}

/* clang-format off */
static const struct command commands[] = {
    {"publish", "EXCHANGE ROUTING_KEY [BODY]", {OPTION_VHOST, OPTION_PROPERTY, OPTION_HEADER, OPTION_PERSISTENT}, run_publish, NULL, "write",
     "Publish a message and wait for its confirm; without BODY its body is standard input.\n"
     "The default exchange is '' or amq.default. Ends with 1 when no queue takes it"},
    {"get", "QUEUE", {OPTION_VHOST, OPTION_COUNT, OPTION_ACK_MODE, OPTION_RAW}, run_get, NULL, "read",
     "Take messages from a queue and show them; they go back unless --ack-mode says otherwise"},
};
/* clang-format on */
const struct area messages_area = AREA("Messages", commands);
