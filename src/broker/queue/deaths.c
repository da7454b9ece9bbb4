/* Lists of dead letters: see deaths.h. */
#include "broker/queue/deaths.h"

#include "broker/queue/queues.h"
#include "leveret/base/mem.h"

static struct deaths_list *list_of(struct deaths *deaths)
{
    struct dead_letters *letters = &deaths->chunk->lane->queue->set->dead_letters;
    struct deaths_list *lists[] = {
        [DEATHS_UNLISTED] = NULL,
        [DEATHS_DUE] = &letters->due,
        [DEATHS_UNREAD] = &letters->unread,
        [DEATHS_READING] = &letters->reading,
        [DEATHS_HELD] = &deaths->dying->held,
    };
    return lists[deaths->state];
}

void deaths_move(struct deaths *deaths, enum deaths_state state)
{
    struct dead_letters *letters = &deaths->chunk->lane->queue->set->dead_letters;
    struct dying *dying = deaths->dying;
    unsigned waiting = deaths->count - deaths->next;
    bool held = !TAILQ_EMPTY(&dying->held);
    if (deaths->state)
        TAILQ_REMOVE(list_of(deaths), deaths, link);
    letters->due_count -= deaths->state == DEATHS_DUE ? waiting : 0;
    letters->readings -= deaths->state == DEATHS_READING;
    deaths->state = (uint8_t)state;
    letters->due_count += state == DEATHS_DUE ? waiting : 0;
    letters->readings += state == DEATHS_READING;
    if (state)
        TAILQ_INSERT_TAIL(list_of(deaths), deaths, link);
    bool holds = !TAILQ_EMPTY(&dying->held);
    if (holds && !held) {
        TAILQ_INSERT_TAIL(&letters->holding, dying, link);
        letters->holding_count++;
    } else if (held && !holds) {
        TAILQ_REMOVE(&letters->holding, dying, link);
        letters->holding_count--;
    }
}

void deaths_free(struct deaths *deaths)
{
    deaths_move(deaths, DEATHS_UNLISTED);
    deaths->chunk->deaths = NULL;
    free(deaths->entries);
    free(deaths);
}

void deaths_add(struct deaths *deaths, struct dead dead)
{
    if (deaths->count == deaths->room && deaths->next) {
        deaths->count = (uint16_t)(deaths->count - deaths->next);
        memmove(deaths->entries, deaths->entries + deaths->next,
                deaths->count * sizeof *deaths->entries);
        deaths->next = 0;
    } else if (deaths->count == deaths->room) {
        deaths->room = (uint16_t)(deaths->room ? deaths->room * 2 : 4);
        deaths->entries = mem_need_array(deaths->entries, deaths->room, sizeof *deaths->entries);
    }
    deaths->entries[deaths->count++] = dead;
    if (deaths->state == DEATHS_DUE)
        deaths->chunk->lane->queue->set->dead_letters.due_count++;
}

struct dead deaths_take(struct deaths *deaths)
{
    if (deaths->state == DEATHS_DUE)
        deaths->chunk->lane->queue->set->dead_letters.due_count--;
    return deaths->entries[deaths->next++];
}
