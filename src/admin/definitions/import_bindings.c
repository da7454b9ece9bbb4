/* Part of import: the check of bindings, after all other entries have been checked.
 *
 * Normal course: the vhosts' owners are asked, vhost by vhost, for the ends of bindings that the
 * file does not have; then each binding is checked by its exchange's type. What can go wrong: a
 * vhost is deleted meanwhile (its exchanges and queues are then not found). */
#include "admin/definitions/import.h"

#include <stdio.h>
#include <stdlib.h>

#include "leveret/base/mem.h"
#include "leveret/broker/verdict.h"

/* ---- Ends of bindings that the file does not have. */

/* Looks for the ends that are in one vhost, a portion at most. On the vhost's owner. */
static void find_ends(struct vhost *vhost, void *argument)
{
    struct import *i = argument;
    struct exchange_info exchange;
    struct queue_info queue;
    uint32_t place = i->asked[i->asked_at]->place;
    for (uint32_t n = 0; n < IMPORT_PORTION && i->asked_at < i->asked_count; n++) {
        struct import_object *object = i->asked[i->asked_at];
        if (object->place != place)
            return;
        i->asked_at++;
        if (!object->exchange) {
            object->found = vhost_find_queue(vhost, object->name, &queue);
        } else if (vhost_find_exchange(vhost, object->name, &exchange)) {
            object->found = true;
            object->type = arena_keep(&i->arena, exchange.type);
            object->arguments = arena_keep(&i->arena, exchange.arguments);
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct import_object *const *x = a, *const *y = b;
    return ((*x)->place > (*y)->place) - ((*x)->place < (*y)->place);
}

static void judge_bindings(struct request *r);

static void ask_on(struct request *r)
{
    struct import *i = r->work;
    while (i->asked_at < i->asked_count) {
        struct bytes vhost = i->places[i->asked[i->asked_at]->place]->name;
        if (request_try(r, vhost, find_ends, i, ask_on) == STATUS_OK)
            return;
        i->asked_at++; /* the vhost is gone, and all that was in it */
    }
    i->at = 0;
    judge_bindings(r);
}

/* ---- Bindings. */

/* Checks a binding. One to a queue that is neither in the file nor in the vhost is left out:
 * RabbitMQ exports the bindings of exclusive queues, but not the queues, which go with their
 * connection. */
static void judge_binding(struct request *r, uint32_t index)
{
    struct import *i = r->work;
    struct import_list *list = &i->lists[STEP_BINDINGS];
    struct command command;
    struct text table;
    char why[FORM_WRONG_BYTES_MAX], text[256];
    struct verdict verdict;
    uint32_t place = list->place[index];
    if (place == NO_PLACE ||
        !import_command(STEP_BINDINGS, value_at(list->list, index), &command, &table, why))
        return;
    bool to_exchange = command.type == COMMAND_EXCHANGE_BIND;
    struct bytes vhost = i->places[place]->name, to = command.u.bind.destination;
    const struct import_object *source = import_object_of(i, true, place, command.u.bind.source);
    const struct import_object *destination = import_object_of(i, to_exchange, place, to);
    const struct verdict_source from = {source->type, source->arguments};
    if (!source->found || (!destination->found && to_exchange)) {
        snprintf(text, sizeof text, "there is no exchange '%.*s'",
                 BYTES_PRINT(source->found ? to : command.u.bind.source));
        import_wrong(r, "bindings", index, to, vhost, text);
    } else if (!destination->found) {
        import_left_out(r, "bindings", index, to, vhost, "there is no such queue");
        list->place[index] = NO_PLACE;
        i->all--;
    } else if (verdict_of_binding(&from, command.u.bind.routing_key, command.u.bind.arguments,
                                  &verdict) != STATUS_OK) {
        import_wrong(r, "bindings", index, to, vhost, verdict.text);
    }
    text_free(&table);
}

/* Sorts the entries of a list by vhost, for what follows; those of one vhost keep their order. */
static void order_list(const struct import *i, struct import_list *list)
{
    list->starts = mem_need((i->place_count + 2) * sizeof *list->starts);
    list->order = mem_need_array(NULL, list->count + 1, sizeof *list->order);
    for (uint32_t at = 0; at < list->count; at++)
        if (list->place[at] != NO_PLACE)
            list->starts[list->place[at] + 2]++;
    for (uint32_t place = 1; place < i->place_count + 2; place++)
        list->starts[place] += list->starts[place - 1];
    for (uint32_t at = 0; at < list->count; at++)
        if (list->place[at] != NO_PLACE)
            list->order[list->starts[list->place[at] + 1]++] = at;
}

static void judge_bindings(struct request *r)
{
    struct import *i = r->work;
    for (uint32_t budget = IMPORT_PORTION; i->at < i->lists[STEP_BINDINGS].count; i->at++) {
        if (budget-- == 0) {
            request_later(r, judge_bindings);
            return;
        }
        judge_binding(r, i->at);
    }
    if (import_is_refused(i)) {
        import_refuse(r);
        return;
    }
    if (i->preview.on) {
        import_preview(r);
        return;
    }
    for (unsigned step = 0; step < STEP_COUNT; step++)
        order_list(i, &i->lists[step]);
    i->section = 0;
    i->at = 0;
    import_directory(r);
}

void import_bindings(struct request *r)
{
    struct import *i = r->work;
    if (i->asked_count)
        qsort(i->asked, i->asked_count, sizeof(struct import_object *), by_place);
    ask_on(r);
}
