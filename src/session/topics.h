/* Topic permissions of a session: may its user publish or bind with this routing key? The directory
 * says what the user's expressions match; the core knows whether the exchange is a topic exchange,
 * to which alone they apply, and refuses (COMMAND_TOPIC_CHECK).
 *
 * A session whose user has no topic permissions in the vhost pays for a test of topics.confined for
 * each message. Thread: the worker of the session. */
#ifndef LEVERET_SESSION_TOPICS_H
#define LEVERET_SESSION_TOPICS_H

#include "leveret/base/map.h"
#include "leveret/broker/command.h"

struct session;
struct session_channel;

/* Answers of the directory that a session remembers; with one more all are forgotten. */
#define TOPIC_VERDICTS_MAX 64u

struct topics {
    bool known;          /* true: confined is the directory's answer at version */
    bool confined;       /* true: the user has topic permissions in the vhost */
    uint64_t version;    /* auth_version */
    struct map verdicts; /* struct topic_verdict */
};

/* Asks the directory again when it has changed. Returns topics->confined. */
bool topics_confine(struct session *session);
/* Holds a bind or an unbind to the user's topic permissions. Returns false when the channel has
 * failed; command: as it will be sent. */
bool topics_permit_binding(struct session_channel *channel, const struct command *command);
/* Holds a message to them, with its routing key and those of CC and BCC. Returns false when the
 * channel has failed. */
bool topics_permit_message(struct session_channel *channel, struct message *message);
void topics_free(struct topics *topics);

#endif
