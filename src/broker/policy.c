/* Policies. */
#include "core.h"

void command_policy(struct channel *channel, const struct command *command)
{
    channel_refuse(channel, command->type, STATUS_NOT_IMPLEMENTED, "policies");
}

size_t vhost_list_policies(struct vhost *vhost, bool operator_policies, uint64_t *after,
                           struct policy_info *out, size_t max)
{
    (void)vhost;
    (void)operator_policies;
    (void)after;
    (void)out;
    (void)max;
    return 0;
}
