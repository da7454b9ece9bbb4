/* Types of queues: their names, and the argument x-queue-type. See queue_type.h. */
#include "leveret/broker/queue_type.h"

#include "leveret/base/check.h"
#include "leveret/wire/table.h"

#define ARGUMENT "x-queue-type"

static const struct {
    const char *name, *module; /* module: the name of RabbitMQ's code for the type */
} types[QUEUE_TYPE_COUNT] = {
    [QUEUE_CLASSIC] = {"classic", "rabbit_classic_queue"},
    [QUEUE_QUORUM] = {"quorum", "rabbit_quorum_queue"},
    [QUEUE_STREAM] = {"stream", "rabbit_stream_queue"},
};

const char *queue_type_name(enum queue_type type)
{
    CHECK(type < QUEUE_TYPE_COUNT);
    return types[type].name;
}

bool queue_type_read(struct bytes name, enum queue_type *out)
{
    for (unsigned i = 0; i < QUEUE_TYPE_COUNT; i++)
        if (bytes_equal_text(name, types[i].name) || bytes_equal_text(name, types[i].module)) {
            *out = (enum queue_type)i;
            return true;
        }
    return false;
}

struct bytes queue_type_fill(struct bytes arguments, enum queue_type by_default,
                             struct text *scratch)
{
    struct field field;
    if (table_find(arguments, ARGUMENT, &field))
        return arguments;
    scratch->len = 0;
    text_add_bytes(scratch, arguments);
    table_put_string(scratch, ARGUMENT, bytes_of_text(queue_type_name(by_default)));
    return text_bytes(scratch);
}
