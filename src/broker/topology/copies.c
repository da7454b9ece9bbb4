/* CC and BCC. See copies.h.
 *
 * What can go wrong: a header that is not an array: the publish is refused (copies_malformed). */
#include "broker/topology/copies.h"

#include <stdlib.h>

#include "broker/topology/own_headers.h"
#include "leveret/base/mem.h"
#include "leveret/wire/properties.h"
#include "leveret/wire/rewrite.h"
#include "leveret/wire/table.h"

static const char *const names[] = {"CC", "BCC"};
#define NAMES 2u

void copies_free(struct copies *copies)
{
    free(copies->keys);
    *copies = (struct copies){0};
}

static bool find(const struct message *message, const char *name, struct field *out)
{
    return message->has_headers &&
           table_find(properties_headers(message_properties(message)), name, out);
}

bool copies_asked(const struct message *message)
{
    struct field field;
    return find(message, names[0], &field) || find(message, names[1], &field);
}

const char *copies_malformed(const struct message *message, const char **type)
{
    struct field field;
    for (unsigned i = 0; i < NAMES; i++) {
        if (find(message, names[i], &field) && field.type != FIELD_ARRAY) {
            *type = field_type_name(field.type);
            return names[i];
        }
    }
    return NULL;
}

static void add(struct copies *copies, struct bytes key)
{
    if (copies->count == copies->room) {
        copies->room = copies->room ? copies->room * 2 : 8;
        copies->keys = mem_need_array(copies->keys, copies->room, sizeof *copies->keys);
    }
    copies->keys[copies->count++] = key;
}

void copies_collect(const struct message *message, struct copies *copies)
{
    struct field array, key;
    copies->count = 0;
    add(copies, message_routing_key(message));
    for (unsigned i = 0; i < NAMES; i++) {
        if (!find(message, names[i], &array) || array.type != FIELD_ARRAY)
            continue;
        struct reader at = reader_of(array.value.bytes);
        while (array_next(&at, &key))
            if (key.type == FIELD_STRING)
                add(copies, key.value.bytes);
    }
}

void copies_note_blind(struct message *message)
{
    struct field field;
    if (message->has_headers)
        message->blind = find(message, "BCC", &field);
}

struct message *copies_shown(struct message *message)
{
    static const char *const hidden[] = {"BCC", OFFSPRING_HEADER, DEATHS_DISOWNED_HEADER, NULL};
    struct rewrite rewrite;
    if (!rewrite_begin(&rewrite, message))
        return message_ref(message);
    rewrite_keep(&rewrite, hidden);
    struct message *copy = rewrite_end(&rewrite, message);
    if (!copy) /* the message is confirmed and must go out, but unchanged it would show BCC */
        mem_give_up(message_memory(message));
    copy->blind = false;
    return copy;
}
