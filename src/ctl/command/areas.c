/* All areas of commands, in the order of help. */
#include "ctl/command/command.h"

const struct area *const areas[] = {
    &broker_area,   &running_area,  &diagnostics_area, &node_area,     &definitions_area,
    &topology_area, &policies_area, &parameters_area,  &messages_area, &moving_area,
    &clients_area,  &users_area,    &permissions_area, &vhosts_area,   &limits_area,
};
const size_t area_count = sizeof areas / sizeof *areas;
