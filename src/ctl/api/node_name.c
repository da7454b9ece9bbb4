/* The node's name, from the overview. */
#include "ctl/api/node_name.h"

#include <string.h>

#include "ctl/api/api.h"
#include "leveret/base/mem.h"

const char *node_name(struct session *session)
{
    const struct api_request overview = {.path = api_path("overview", NULL)};
    struct value *about = NULL;
    if (session->node)
        return session->node;
    session->failed = api_call(session, &overview, &about);
    const char *name = value_text(value_get(about, "node"));
    if (name) {
        session->node = mem_need_text(name, strlen(name));
    } else if (session->failed == OUTCOME_OK) {
        complain("the broker does not tell its name");
        session->failed = OUTCOME_REFUSED;
    }
    value_free(&about);
    return session->node;
}
