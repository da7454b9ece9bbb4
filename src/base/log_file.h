/* One file of the log, and how it is put aside. Only for src/base. Thread: any. */
#ifndef LEVERET_BASE_LOG_FILE_H
#define LEVERET_BASE_LOG_FILE_H

#include <stddef.h>

#include "leveret/base/log_rotation.h"

struct log_file;

/* Opens or makes the file. Errors: IO. */
MUST_USE enum status log_file_open(const char *path, const struct log_rotation *rotation,
                                   struct log_file **out);
/* Waits for a compression that runs. No other thread may use the file. */
void log_file_close(struct log_file **file);

const char *log_file_path(const struct log_file *file);
/* Opens the path again, after others have moved the file. Errors: IO; the old one is used on. */
MUST_USE enum status log_file_reopen(struct log_file *file);
void log_file_set_rotation(struct log_file *file, const struct log_rotation *rotation);
/* Writes a line with one write(2), and puts the file aside when it is due. now_s: wall time. */
void log_file_write(struct log_file *file, const char *line, size_t len, uint64_t now_s);
/* Puts the file aside now. Errors: IO: the file cannot be moved, and is used on; NOT_FOUND: the
 * path is that of a device or a pipe. */
MUST_USE enum status log_file_rotate(struct log_file *file);

#endif
