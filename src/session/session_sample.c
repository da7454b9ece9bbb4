/* Samples of connections: which have moved bytes since they were last looked at (session.h). The
 * walk over a worker's sessions goes on where it stopped; a session that ends meanwhile hands the
 * place on to the next one. */
#include "session_sample.h"

#include "session_state.h"
#include "sessions_state.h"

bool session_sample_tell(struct session *session)
{
    struct connection_counters now;
    struct session_sampled *told = &session->sampled;
    connection_counters(session->connection, &now);
    uint64_t received = now.received_bytes - told->received_bytes;
    uint64_t sent = now.sent_bytes - told->sent_bytes;
    if (!session->vhost || (received == 0 && sent == 0))
        return false;
    told->received_bytes = now.received_bytes;
    told->sent_bytes = now.sent_bytes;
    node_count_traffic(session->sessions->options.node, bytes_of_text(session->vhost), received,
                       sent);
    return true;
}

void session_sample_forget(struct session *session)
{
    if (session->sessions->sample_next == session)
        session->sessions->sample_next = TAILQ_NEXT(session, entry);
}

size_t sessions_sample(struct sessions *sessions, struct session_walk *walk,
                       struct session_sample *out, size_t max)
{
    size_t count = 0;
    if (!walk->begun)
        sessions->sample_next = TAILQ_FIRST(&sessions->all);
    walk->begun = true;
    for (unsigned looks = 0; looks < SESSION_LOOKS_MAX && count < max && sessions->sample_next;
         looks++) {
        struct session *session = sessions->sample_next;
        struct session_sampled *sampled = &session->sampled;
        sessions->sample_next = TAILQ_NEXT(session, entry);
        if (session->socket_gone)
            continue;
        bool changed = session_sample_tell(session);
        if (!changed && !(walk->all && sampled->before))
            continue;
        out[count++] = (struct session_sample){
            .id = session->id,
            .connected_wall_ms = session->connected_wall_ms,
            .changed = changed,
            .before = sampled->before,
            .received_bytes = sampled->received_bytes,
            .sent_bytes = sampled->sent_bytes,
        };
        sampled->before = true;
    }
    walk->done = !sessions->sample_next;
    return count;
}
