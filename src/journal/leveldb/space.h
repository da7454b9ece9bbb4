/* Room on the disk: the reserve for a full one, and giving back what is dead (space.c). */
#ifndef LEVERET_JOURNAL_SPACE_H
#define LEVERET_JOURNAL_SPACE_H

#include "journal/leveldb/engine.h"
#include "journal/leveldb/inspection.h"

void space_begin(struct engine *engine);
void space_end(struct engine *engine);

/* The owner, now and then: publishes how much is dead and alive, and lists the dead ranges when the
 * housekeeper has asked for them. */
void space_look(struct engine *engine);

/* The writer, before a write of so many bytes: whether it may be tried. A batch that adds must
 * leave what LevelDB needs to compact, or, when the disk is full already and publishers are held,
 * what it needs to go on; one that only erases may use all that there is, and the reserve. */
bool space_admits(struct engine *engine, uint64_t bytes, bool adds, bool full);

/* Lays down the reserve if the disk is small or getting full. Any thread. */
void space_reserve(struct engine *engine);

/* After the reserve was given up for opening the database: lays down again as much as fits, for the
 * next start. Any thread. */
void space_keep_what_is_left(struct engine *engine);

/* The writer, before LevelDB is opened again after NO_SPACE: cuts off what the failed write left
 * behind; whether there is room enough. */
bool space_make_room(struct engine *engine);

/* Whether there is as much room as a publisher should find. Any thread. */
bool space_is_plenty(struct engine *engine);

/* What is to be checked by and by; takes it. Before the database is ready. */
void space_inspect_later(struct engine *engine, struct inspection *inspection);

/* The size of the file system; 0: not known. */
uint64_t space_total(const struct engine *engine);
void space_remove_reserve(const char *path);

#endif
