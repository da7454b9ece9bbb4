/* Messages to frames: basic.deliver, basic.get-ok and basic.return, each with its content.
 *
 * Thread: the worker of the session. */
#ifndef LEVERET_SESSION_DELIVER_H
#define LEVERET_SESSION_DELIVER_H

#include "leveret/base/bytes.h"
#include "leveret/base/message.h"
#include "leveret/base/status.h"

struct session;

void deliver_message(struct session *session, uint16_t channel, struct bytes tag,
                     uint64_t delivery_tag, bool redelivered, struct message *message);
/* left: messages that are still ready in the queue. */
void deliver_got(struct session *session, uint16_t channel, uint64_t delivery_tag, bool redelivered,
                 uint32_t left, struct message *message);
/* status: why no queue or consumer got the message. */
void deliver_return(struct session *session, uint16_t channel, enum status status,
                    struct message *message);

#endif
