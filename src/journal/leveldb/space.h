/* Room on the disk: the reserve for a full disk, and giving back the room of dead records.
 *
 * Thread: the vhost's owner, where nothing else is said. The housekeeper is the thread of upkeeps
 * (threads.h). */
#ifndef LEVERET_JOURNAL_SPACE_H
#define LEVERET_JOURNAL_SPACE_H

#include "journal/leveldb/engine.h"
#include "journal/leveldb/inspection.h"

void space_begin(struct engine *engine);
void space_end(struct engine *engine);

/* Tells the housekeeper how many bytes are dead and alive, and lists the dead ranges when it has
 * asked for them. At the end of journal_poll. */
void space_look(struct engine *engine);

/* Whether a write of so many bytes may be tried. adds: the batch adds messages or definitions; then
 * it must leave the room that LevelDB needs to compact, or, when the disk is full and publishers
 * are held (full), the room for two write buffers. A batch that only erases may use all room, and
 * the reserve's. The writer. */
bool space_admits(struct engine *engine, uint64_t bytes, bool adds, bool full);

/* Makes the reserve when the disk is getting full, and removes it when it has much room. Any
 * thread. */
void space_reserve(struct engine *engine);

/* To be called when the reserve was removed to open the database: makes a reserve as large as fits,
 * for the next start. Any thread. */
void space_keep_what_is_left(struct engine *engine);

/* Before the database is opened again after NO_SPACE: removes the reserve, and cuts off what the
 * failed write has left. Returns whether there is room enough to open it. The writer. */
bool space_make_room(struct engine *engine);

/* Whether there is enough room for publishers, and the reserve is there if it is needed. Any
 * thread. */
bool space_is_plenty(struct engine *engine);

/* Takes the inspection over, for the housekeeper to go on with. Before the database is ready. */
void space_inspect_later(struct engine *engine, struct inspection *inspection);

/* The size of the file system in bytes; 0: unknown. */
uint64_t space_total(const struct engine *engine);
void space_remove_reserve(const char *path);

#endif
