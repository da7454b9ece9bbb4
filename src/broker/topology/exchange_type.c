/* The table of exchange types. */
#include "broker/topology/exchange.h"

static const struct exchange_type *const types[] = {
    &exchange_type_direct,       &exchange_type_fanout,  &exchange_type_topic,
    &exchange_type_headers,      &exchange_type_delayed, &exchange_type_deduplication,
    &exchange_type_hash,         &exchange_type_modulus, &exchange_type_random,
    &exchange_type_local_random, &exchange_type_history,
};

const struct exchange_type *exchange_type_find(struct bytes name)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (bytes_equal_text(name, types[i]->name))
            return types[i];
    }
    return NULL;
}

bool exchange_routes_by_topic(const struct exchange *exchange)
{
    return exchange->type == &exchange_type_topic || exchange->inner == &exchange_type_topic;
}
