/* The handlers of commands. Thread: the vhost's owner.
 *
 * Normal course: vhost_apply finds the channel, which is open and not failed, and calls the handler
 * of the command's type. A handler answers with channel_reply, or fails its channel with
 * channel_refuse; one that has more to do than one call may do calls channel_goes_on, and is called
 * again in a later turn. */
#ifndef BROKER_COMMAND_HANDLERS_H
#define BROKER_COMMAND_HANDLERS_H

#include "broker/vhost_state.h"

typedef void command_handler(struct channel *channel, const struct command *command);
/* channel_command.c */
command_handler command_qos, command_confirm_select;
/* exchange_command.c */
command_handler command_exchange_declare, command_exchange_delete, command_bind, command_unbind;
/* queue_command.c */
command_handler command_queue_declare, command_queue_delete, command_queue_purge;
/* publish_command.c */
command_handler command_publish;
/* consumer_command.c */
command_handler command_consume, command_cancel, command_get;
/* settle_command.c */
command_handler command_ack, command_nack, command_recover;
/* policy_command.c */
command_handler command_policy;
/* transaction_command.c */
command_handler command_tx_select, command_tx_commit, command_tx_rollback;

/* Those two work on a peer, whose channel comes or goes (channel_command.c). */
void command_channel_open(struct peer *peer, const struct command *command);
void command_channel_close(struct peer *peer, const struct command *command);

/* Whether the names and arguments of a command that declares, binds, unbinds or consumes can be; if
 * not, fails the channel. (command_gate.c) */
bool command_gate(struct channel *channel, const struct command *command);

/* ---- Checks of declarations, also for definitions that are checked before they are made
 * (verdict.c). */

/* Whether a queue that is not there could have this name, whoever declares it. Errors:
 * PRECONDITION_FAILED, ACCESS_REFUSED. (queue_command.c) */
MUST_USE enum status command_check_queue_name(struct bytes name, bool server_named,
                                              struct refusal *refusal);
/* Whether it could have these arguments, which *out then holds, and flags. Errors: as
 * queue_settings_parse. */
MUST_USE enum status command_check_queue(const struct command *command, struct bytes vhost,
                                         struct queue_settings *out, struct refusal *refusal);
/* The type of a queue whose declaration does not say it, in a vhost with this default. */
enum queue_type command_queue_type(const struct command *command, enum queue_type by_default);
/* What COMMAND_EXCHANGE_DECLARE asks for; its views are the command's. (exchange_command.c) */
struct exchange_declaration command_exchange_declaration(const struct command *command);
/* Whether COMMAND_POLICY_PUT makes sense. Errors: PRECONDITION_FAILED. (policy_command.c) */
MUST_USE enum status command_check_policy(const struct command *command, struct refusal *refusal);

#endif
