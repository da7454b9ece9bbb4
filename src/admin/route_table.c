/* All routes of the API: the tables of the resources, one after the other. Of several routes that a
 * path fits, the first counts. */
#include "admin/route_table.h"

#include <stddef.h>

#include "admin/definitions/definitions.h"
#include "admin/metrics/metrics.h"
#include "admin/moving/moves.h"
#include "admin/page/page.h"
#include "admin/resource/about.h"
#include "admin/resource/bindings.h"
#include "admin/resource/configuration.h"
#include "admin/resource/connections.h"
#include "admin/resource/exchanges.h"
#include "admin/resource/global_parameters.h"
#include "admin/resource/health.h"
#include "admin/resource/limits.h"
#include "admin/resource/messages.h"
#include "admin/resource/node.h"
#include "admin/resource/parameters.h"
#include "admin/resource/peek.h"
#include "admin/resource/permissions.h"
#include "admin/resource/policies.h"
#include "admin/resource/queues.h"
#include "admin/resource/quorum.h"
#include "admin/resource/topic_permissions.h"
#include "admin/resource/trials.h"
#include "admin/resource/users.h"
#include "admin/resource/vhosts.h"

/* clang-format off */
const struct route *const route_tables[] = {
    metrics_routes,
    api_overview,
    api_memory,
    api_node_settings,
    api_node_control,
    api_log,
    api_about,
    api_configuration,
    api_feature_flags,
    api_auth_attempts,
    api_connections, /* before api_channels, which has "/api/connections/:c/channels" */
    api_channels,
    api_consumers,
    api_exchanges,
    api_exchange_tail,
    api_quorum,
    api_queues,
    api_bindings,
    api_messages,
    api_peek,
    api_moves,
    api_vhosts,
    api_vhost_start,
    api_vhost_protect,
    api_users,
    api_limits,
    api_permissions,
    api_topic_permissions,
    api_policies,
    api_trials,
    api_parameters,
    api_global_parameters,
    definitions_routes,
    import_routes,
    api_health,
    api_health_listeners,
    api_health_quorum,
    login_routes,
    web_routes, /* the last: its names fit many paths */
    NULL,
};
/* clang-format on */
