/* Part of the api: members of quorum queues. Each queue has one, on this node. */
#include "admin/resource/quorum.h"

#include <stdlib.h>

#include "admin/json/answer.h"
#include "admin/listing/listed_queue.h"

struct asked {
    struct bytes name; /* of the queue that the path names */
    bool found, quorum, failed;
};

static void find_queue(struct vhost *vhost, void *argument)
{
    struct asked *asked = argument;
    struct queue_info info;
    asked->found = vhost_find_queue(vhost, asked->name, &info);
    asked->quorum = asked->found && listed_queue_is_quorum(&info);
    asked->failed = asked->found && info.failed;
}

static void with_queue(struct request *r, void (*found)(struct request *r))
{
    struct asked *asked = request_work(r, sizeof *asked, free);
    asked->name = r->args[1];
    request_ask(r, request_vhost(r), find_queue, asked, found);
}

/* Answers when the queue is not there, or is no quorum queue, and returns false then. */
static bool check(struct request *r)
{
    const struct asked *asked = r->work;
    struct answer a = {0};
    if (!asked->found) {
        respond_not_found(r);
        return false;
    }
    if (asked->quorum)
        return true;
    answer_object(&a, NULL);
    answer_text(&a, "status", "failed");
    answer_text(&a, "reason", "classic_queue_not_supported");
    answer_end(&a);
    respond_json(r, 503, &a);
    return false;
}

/* Places in Raft's log are left out: there is none. */
static void tell_status(struct request *r)
{
    const struct asked *asked = r->work;
    struct answer a = {0};
    if (!check(r))
        return;
    answer_array(&a, NULL);
    answer_object(&a, NULL);
    answer_text(&a, "Node Name", r->admin->options.node_name);
    answer_text(&a, "Raft State", asked->failed ? "noproc" : "leader");
    answer_text(&a, "Membership", "voter");
    answer_end(&a);
    answer_end(&a);
    respond_json(r, 200, &a);
}

static void get_status(struct request *r)
{
    with_queue(r, tell_status);
}

static void refuse(struct request *r)
{
    respond_bad_request(r, "this broker is one node: quorum queues have one member, which stays");
}

static void refuse_found(struct request *r)
{
    if (check(r))
        refuse(r);
}

static void change_replicas(struct request *r)
{
    with_queue(r, refuse_found);
}

/* ---- Routes. */

const struct route api_quorum[] = {
    {METHOD_GET, "/api/queues/quorum/:v/:q/status", get_status, ACCESS_VHOST, BODY_SMALL},
    {METHOD_POST, "/api/queues/quorum/:v/:q/replicas/add", change_replicas, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_DELETE, "/api/queues/quorum/:v/:q/replicas/delete", change_replicas,
     ACCESS_ADMINISTRATOR, BODY_SMALL},
    {METHOD_POST, "/api/queues/quorum/replicas/on/:n/grow", refuse, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    {METHOD_DELETE, "/api/queues/quorum/replicas/on/:n/shrink", refuse, ACCESS_ADMINISTRATOR,
     BODY_SMALL},
    ROUTES_END,
};
