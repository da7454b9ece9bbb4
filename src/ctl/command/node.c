/* The node: its settings, in rabbitmqctl's forms. */
#include <stdlib.h>
#include <string.h>

#include "ctl/api/api.h"
#include "ctl/command/command.h"

/* FRACTION, or "absolute" VALUE, or "mem_relative" FRACTION: {limit: {kind: value}} to the node.
 * The value is sent unchecked, since the broker says what is wrong with it. */
static enum outcome set(struct session *session, const char *limit, const char *kind,
                        const char *text)
{
    const struct api_request overview = {.path = api_path("overview", NULL)};
    struct value *about = NULL;
    struct value *value = strcmp(kind, "relative") == 0 ? value_parse(bytes_of_text(text)) : NULL;
    if (value_kind_of(value) != VALUE_NUMBER && strcmp(kind, "relative") == 0) {
        complain("'%s' is no fraction, such as 0.4", text);
        value_free(&value);
        return OUTCOME_USAGE;
    }
    enum outcome outcome = api_call(session, &overview, &about);
    const char *node = value_text(value_get(about, "node"));
    if (outcome != OUTCOME_OK || !node) {
        value_free(&value);
        value_free(&about);
        return outcome;
    }
    struct value *inner = value_new_map(), *body = value_new_map();
    value_set(inner, kind, value ? value : value_new_text(text));
    value_set(body, limit, inner);
    const struct api_request request = {
        .method = "PUT", .path = api_path("nodes", node, "limits", NULL), .body = body};
    outcome = api_call(session, &request, NULL);
    value_free(&about);
    return outcome;
}

static enum outcome run_set_memory_watermark(struct session *session)
{
    const char *first = session->args[0], *second = session_arg(session, 1);
    if (!second)
        return set(session, "vm_memory_high_watermark", "relative", first);
    if (strcmp(first, "absolute") == 0)
        return set(session, "vm_memory_high_watermark", "absolute", second);
    complain("a memory watermark is given as FRACTION, or as absolute VALUE");
    return OUTCOME_USAGE;
}

static enum outcome run_set_disk_free_limit(struct session *session)
{
    const char *first = session->args[0], *second = session_arg(session, 1);
    if (!second)
        return set(session, "disk_free_limit", "absolute", first);
    if (strcmp(first, "mem_relative") == 0)
        return set(session, "disk_free_limit", "relative", second);
    complain("a disk limit is given as VALUE, or as mem_relative FRACTION");
    return OUTCOME_USAGE;
}

/* clang-format off */
static const struct command commands[] = {
    {"environment", "", {0}, run_list, "settings", NEEDS_ADMIN,
     "The configuration in effect, and where each value came from"},
    {"set_vm_memory_high_watermark", "[absolute] VALUE", {0}, run_set_memory_watermark, NULL, NEEDS_ADMIN,
     "Block publishers above so much memory, until the next start: 0.4, absolute 2GB"},
    {"set_disk_free_limit", "[mem_relative] VALUE", {0}, run_set_disk_free_limit, NULL, NEEDS_ADMIN,
     "Block publishers below so much free disk, until the next start: 2GB, mem_relative 1.0"},
};
/* clang-format on */
const struct area node_area = AREA("The node", commands);
