/* The handlers of commands, in a file for each family of commands. Thread: the vhost's owner.
 *
 * Normal course: vhost_apply finds the channel, which is open and has not failed, and calls the
 * handler of the command's type. The handler answers with channel_reply. What can go wrong: the
 * handler refuses the command with channel_refuse, which fails the channel. The command is more
 * work than one call may do: the handler calls channel_goes_on and returns, and is called with the
 * same command again in a later turn. */
#ifndef BROKER_COMMAND_HANDLERS_H
#define BROKER_COMMAND_HANDLERS_H

#include "broker/vhost_state.h"

typedef void command_handler(struct channel *channel, const struct command *command);
/* channel_command.c */
command_handler command_qos, command_confirm_select;
/* exchange_command.c */
command_handler command_exchange_declare, command_exchange_delete, command_bind, command_unbind,
    command_topic_check;
/* queue_command.c */
command_handler command_queue_declare, command_queue_delete, command_queue_purge,
    command_queue_pause;
/* publish_command.c */
command_handler command_publish;
/* consumer_command.c */
command_handler command_consume, command_cancel, command_get;
/* move_command.c */
command_handler command_move;
/* peek_command.c */
command_handler command_peek, command_drop_message;
/* settle_command.c */
command_handler command_ack, command_nack, command_recover;
/* policy_command.c */
command_handler command_policy;
/* transaction_command.c */
command_handler command_tx_select, command_tx_commit, command_tx_rollback;

/* channel_command.c, on a peer: its channel is made or ends. */
void command_channel_open(struct peer *peer, const struct command *command);
void command_channel_close(struct peer *peer, const struct command *command);

/* Whether the names and arguments of a command that declares, binds, unbinds or consumes are well
 * formed; if not, fails the channel. (command_gate.c) */
bool command_gate(struct channel *channel, const struct command *command);

/* ---- Checks of declarations. verdict.c makes them too, for definitions that are checked before
 * anything is changed. */

/* Whether a new queue may have this name. server_named: true: the broker has chosen the name.
 * Errors: PRECONDITION_FAILED, ACCESS_REFUSED. (queue_command.c) */
MUST_USE enum status command_check_queue_name(struct bytes name, bool server_named,
                                              struct refusal *refusal);
/* Whether a new queue may have the arguments and flags of COMMAND_QUEUE_DECLARE; *out then holds
 * the arguments. Errors: as queue_settings_parse. */
MUST_USE enum status command_check_queue(const struct command *command, struct bytes vhost,
                                         struct queue_settings *out, struct refusal *refusal);
/* The type of a queue whose declaration does not say it, in a vhost with this default. */
enum queue_type command_queue_type(const struct command *command, enum queue_type by_default);
/* The exchange that COMMAND_EXCHANGE_DECLARE asks for; views into the command. (exchange_command.c)
 */
struct exchange_declaration command_exchange_declaration(const struct command *command);
/* Whether the policy of COMMAND_POLICY_PUT is valid. Errors: PRECONDITION_FAILED.
 * (policy_command.c) */
MUST_USE enum status command_check_policy(const struct command *command, struct refusal *refusal);
/* Makes the policy of COMMAND_POLICY_PUT, which is in no list. Errors: PRECONDITION_FAILED, and
 * *out is NULL. */
struct policy;
MUST_USE enum status command_make_policy(const struct command *command, struct policy **out,
                                         struct refusal *refusal);

#endif
