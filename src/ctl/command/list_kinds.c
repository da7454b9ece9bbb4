/* The kinds of objects that are listed, and their columns. */
#include "ctl/command/list_kinds.h"

#include <stdio.h>
#include <string.h>

#include "leveret/base/check.h"

/* Bytes of a column's name in the tables below, with the zero at its end. */
#define NAME_ROOM 64

/* What the policies' two kinds and the permissions' two share. */
#define POLICY_COLUMNS "vhost name pattern apply-to definition priority"

/* clang-format off */
static const struct list_kind kinds[] = {
    {"queues", REACH_VHOST, {"queues", "*"}, "queues",
     "name messages messages_ready messages_unacknowledged consumers", "name messages",
     "arguments. auto_delete backing_queue_status. consumer_capacity consumer_utilisation consumers durable "
     "effective_policy_definition. exclusive exclusive_consumer_tag garbage_collection. head_message_timestamp idle_since "
     "internal internal_owner leader members memory message_bytes message_bytes_paged_out message_bytes_persistent "
     "message_bytes_ram message_bytes_ready message_bytes_unacknowledged message_stats. messages messages_details. "
     "messages_paged_out messages_persistent messages_ram messages_ready messages_ready_details. messages_ready_ram "
     "messages_unacknowledged messages_unacknowledged_details. messages_unacknowledged_ram name node online "
     "operator_policy owner_pid_details. policy recoverable_slaves single_active_consumer_tag slave_nodes state "
     "synchronised_slave_nodes type vhost",
     {{"message_bytes_unacked", "message_bytes_unacknowledged"}, {"pid", "node"}, {"owner_pid", "owner_pid_details.name"}, {"slave_pids", "slave_nodes"}, {"synchronised_slave_pids", "synchronised_slave_nodes"}, {"disk_reads", "message_stats.disk_reads"}, {"disk_writes", "message_stats.disk_writes"}, {"exclusive_consumer_pid", "exclusive_consumer_tag"}}},
    {"exchanges", REACH_VHOST, {"exchanges", "*"}, "exchanges", "name type durable auto_delete", "name type",
     "arguments. auto_delete durable internal message_stats. name policy type user_who_performed_action vhost", {{NULL, NULL}}},
    {"bindings", REACH_VHOST, {"bindings", "*"}, "bindings",
     "source_name destination_name destination_kind routing_key arguments",
     "source_name source_kind destination_name destination_kind routing_key arguments",
     "arguments. destination destination_type properties_key routing_key source source_kind vhost",
     {{"source_name", "source"}, {"destination_name", "destination"}, {"destination_kind", "destination_type"}}},
    {"policies", REACH_VHOST, {"policies", "*"}, "policies", POLICY_COLUMNS, NULL,
     "vhost name pattern apply-to definition. priority", {{NULL, NULL}}},
    {"operator-policies", REACH_VHOST, {"operator-policies", "*"}, "operator-policies", POLICY_COLUMNS, NULL,
     "vhost name pattern apply-to definition. priority", {{NULL, NULL}}},
    {"connections", REACH_ANYWHERE, {"vhosts", "*", "connections"}, "connections",
     "name user vhost state channels", "user peer_host peer_port state",
     "auth_mechanism channel_max channels client_properties. connected_at container_id frame_max garbage_collection. host "
     "name node peer_cert_issuer peer_cert_subject peer_cert_validity peer_host peer_port port protocol recv_cnt recv_oct "
     "recv_oct_details. reductions send_cnt send_oct send_oct_details. send_pend ssl ssl_cipher ssl_hash "
     "ssl_key_exchange ssl_protocol state timeout type user user_provided_name user_who_performed_action vhost",
     {{"pid", "name"}}},
    {"channels", REACH_ANYWHERE, {"vhosts", "*", "channels"}, "channels",
     "name user vhost consumer_count messages_unacknowledged messages_unconfirmed prefetch_count",
     "pid user consumer_count messages_unacknowledged",
     "acks_uncommitted confirm connection_details. consumer_count garbage_collection. global_prefetch_count idle_since "
     "message_stats. messages_unacknowledged messages_uncommitted messages_unconfirmed name node number pending_raft_commands "
     "prefetch_count state transactional user user_who_performed_action vhost",
     {{"pid", "name"}, {"connection", "connection_details.name"}}},
    {"consumers", REACH_VHOST, {"consumers", "*"}, "consumers",
     "queue_name channel_name consumer_tag ack_required prefetch_count active arguments",
     "queue_name channel_pid consumer_tag ack_required prefetch_count active arguments",
     "ack_required active activity_status arguments. channel_details. consumer_tag consumer_timeout exclusive "
     "prefetch_count queue.",
     {{"queue_name", "queue.name"}, {"channel_name", "channel_details.name"}, {"channel_pid", "channel_details.name"}, {"vhost", "queue.vhost"}}},
    {"users", REACH_NONE, {"users"}, "users", "user tags", NULL, "hashing_algorithm limits. name password_hash tags",
     {{"user", "name"}}},
    {"vhosts", REACH_NONE, {"vhosts"}, "vhosts", "name description messages", "name",
     "cluster_state. default_queue_type description message_stats. messages messages_details. messages_ready "
     "messages_ready_details. messages_unacknowledged messages_unacknowledged_details. metadata. name "
     "protected_from_deletion reason recv_oct recv_oct_details. send_oct send_oct_details. state tags tracing",
     {{"protected", "protected_from_deletion"}}},
    {"permissions", REACH_VHOST, {"vhosts", "*", "permissions"}, "permissions", "user configure write read", NULL,
     "user vhost configure write read", {{NULL, NULL}}},
    {"user_permissions", REACH_ARGUMENT, {"users", "*", "permissions"}, NULL, "vhost configure write read", NULL,
     "user vhost configure write read", {{NULL, NULL}}},
    {"topic_permissions", REACH_VHOST, {"vhosts", "*", "topic-permissions"}, "topic-permissions",
     "user exchange write read", NULL, "user vhost exchange write read", {{NULL, NULL}}},
    {"user_topic_permissions", REACH_ARGUMENT, {"users", "*", "topic-permissions"}, NULL, "vhost exchange write read", NULL,
     "user vhost exchange write read", {{NULL, NULL}}},
    {"vhost_limits", REACH_VHOST, {"vhost-limits", "*"}, "vhost-limits", "max-connections max-queues", "vhost limits",
     "vhost value.", {{"max-connections", "value.max-connections"}, {"max-queues", "value.max-queues"}, {"limits", "value"}}},
    {"user_limits", REACH_NONE, {"user-limits"}, "user-limits", "user max-connections max-channels", "user limits",
     "user value.", {{"max-connections", "value.max-connections"}, {"max-channels", "value.max-channels"}, {"limits", "value"}}},
    {"parameters", REACH_VHOST, {"parameters"}, "parameters", "component name value", NULL, "vhost component name value.", {{NULL, NULL}}},
    {"global_parameters", REACH_NONE, {"global-parameters"}, "global-parameters", "name value", NULL, "name value.", {{NULL, NULL}}},
    {"settings", REACH_NONE, {"config", "effective"}, NULL, "key value origin", NULL, "key value origin", {{NULL, NULL}}},
    {"feature_flags", REACH_NONE, {"feature-flags"}, NULL, "name state stability desc", "name state",
     "callbacks desc doc_url experiment_level name provided_by require_level stability state", {{NULL, NULL}}},
    {"deprecated_features", REACH_NONE, {"deprecated-features"}, NULL, "name deprecation_phase state desc",
     "name deprecation_phase state", "deprecation_phase desc doc_url name provided_by state", {{NULL, NULL}}},
    {"auth_attempts", REACH_NODE, {"auth", "attempts", "*"}, NULL,
     "protocol auth_attempts auth_attempts_failed auth_attempts_succeeded", NULL,
     "protocol auth_attempts auth_attempts_failed auth_attempts_succeeded", {{NULL, NULL}}},
    {"auth_attempt_sources", REACH_NODE, {"auth", "attempts", "*", "source"}, NULL,
     "protocol remote_address username auth_attempts auth_attempts_failed auth_attempts_succeeded", NULL,
     "protocol remote_address username auth_attempts auth_attempts_failed auth_attempts_succeeded", {{NULL, NULL}}},
};
/* clang-format on */

const struct list_kind *list_kind_find(const char *name)
{
    size_t at = 0;
    while (at < sizeof kinds / sizeof *kinds && strcmp(kinds[at].name, name) != 0)
        at++;
    CHECK(at < sizeof kinds / sizeof *kinds); /* the table of commands has no other name */
    return &kinds[at];
}

const char *list_kind_path(const struct list_kind *kind, const char *name)
{
    for (size_t i = 0; i < LIST_KIND_ALIASES && kind->aliases[i].heading; i++)
        if (strcmp(kind->aliases[i].heading, name) == 0)
            return kind->aliases[i].path;
    for (const char *at = kind->members; *at; at += strspn(at, " ")) {
        size_t whole = strcspn(at, " ");
        bool open = at[whole - 1] == '.';
        size_t own = whole - open;
        bool same = strncmp(at, name, own) == 0;
        if (same && (!name[own] || (open && name[own] == '.' && name[own + 1])))
            return name;
        at += whole;
    }
    return NULL;
}

const struct column *list_kind_constant(const struct list_kind *kind)
{
    static const struct column source = {"source_kind", "exchange"};
    return strcmp(kind->name, "bindings") == 0 ? &source : NULL;
}

void list_kind_columns(const struct list_kind *kind, bool (*see)(const char *name, void *context),
                       void *context)
{
    char name[NAME_ROOM];
    for (size_t i = 0; i < LIST_KIND_ALIASES && kind->aliases[i].heading; i++)
        if (!see(kind->aliases[i].heading, context))
            return;
    for (const char *at = kind->members; *at; at += strspn(at, " ")) {
        size_t whole = strcspn(at, " ");
        snprintf(name, sizeof name, "%.*s", (int)(whole - (at[whole - 1] == '.')), at);
        if (!see(name, context))
            return;
        at += whole;
    }
}
