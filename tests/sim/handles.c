/* Lists of deliveries and of messages. */
#include <stdlib.h>
#include <string.h>

#include "leveret/base/mem.h"
#include "sim.h"

void handle_add(struct handles *handles, const struct handle *handle)
{
    if (handles->count == handles->room) {
        handles->room = handles->room ? handles->room * 2 : 16;
        handles->at = mem_need_array(handles->at, handles->room, sizeof *handles->at);
    }
    /* In order of tags: the answer to a get may come behind later deliveries. */
    unsigned at = handles->count++;
    for (; at && handles->at[at - 1].tag > handle->tag; at--)
        handles->at[at] = handles->at[at - 1];
    handles->at[at] = *handle;
}

struct handle handle_take(struct handles *handles, unsigned at)
{
    struct handle handle = handles->at[at];
    handles->count--;
    memmove(handles->at + at, handles->at + at + 1, (handles->count - at) * sizeof handle);
    return handle;
}

void uid_add(struct uids *uids, unsigned uid)
{
    if (uids->count == uids->room) {
        uids->room = uids->room ? uids->room * 2 : 16;
        uids->at = mem_need_array(uids->at, uids->room, sizeof *uids->at);
    }
    uids->at[uids->count++] = uid;
}
