/* The files of segments (segments.h): writing, reading and removing them.
 *
 * Thread: any. path is the directory of the journal. */
#ifndef LEVERET_JOURNAL_SEGMENT_FILE_H
#define LEVERET_JOURNAL_SEGMENT_FILE_H

#include "journal/leveldb/segments.h"

/* A segment's file is named by this and its number, in six digits or more. */
#define SEGMENT_FILE_PREFIX "segment-"

/* Opens the file for writing, making it when it is not there. Errors: NO_SPACE, IO (errno). */
MUST_USE enum status segment_file_open(const char *path, uint32_t number, int *fd);
/* Errors: NO_SPACE, IO (errno). */
MUST_USE enum status segment_file_write(int fd, uint64_t offset, struct bytes bytes);
/* Makes the file at least end bytes long, without writing: a block that lost messages before it was
 * written is shorter than its place, and a file must be as long as its places say. Errors: as
 * above.
 */
MUST_USE enum status segment_file_extend(int fd, uint64_t end);
/* Syncs the file; is_new: the directory too, so that the file's name survives a crash. Errors: as
 * above. */
MUST_USE enum status segment_file_sync(int fd, const char *path, bool is_new);
/* Appends the bytes at place to *out. Errors: NOT_FOUND: there is no such file; CORRUPT: it is too
 * short; NO_MEMORY, IO. */
MUST_USE enum status segment_file_read(const char *path, struct segment_place place,
                                       struct text *out);
void segment_file_remove(const char *path, uint32_t number);
/* The file's path, zero-ended (free it). */
char *segment_file_name(const char *path, uint32_t number);

#endif
