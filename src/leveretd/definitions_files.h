/* The files that load_definitions names, and the marks of those that were imported before. Thread:
 * the main thread. */
#ifndef LEVERETD_DEFINITIONS_FILES_H
#define LEVERETD_DEFINITIONS_FILES_H

#include <stdbool.h>

#include "leveret/base/status.h"
#include "leveret/base/text.h"

/* The file itself, or the files of a folder whose names end in .json, in order of name. */
struct definitions_files {
    char **paths;
    size_t count;
};

/* Errors: IO, with a sentence in *error, which the caller frees. */
MUST_USE enum status definitions_files_find(const char *path, struct definitions_files *out,
                                            char **error);
void definitions_files_free(struct definitions_files *files);
/* Appends a file's content to *out. Errors: IO (also: longer than an import may be), with a
 * sentence in *error. */
MUST_USE enum status definitions_file_read(const char *path, struct text *out, char **error);

/* Marks: the SHA-256 and the path of each file that was imported, as lines of a file in the data
 * directory. With them a start skips files that have not changed. */
#define DEFINITIONS_MARKS_FILE "definitions.sha256"
struct definitions_marks {
    char *path;              /* of their file; NULL: there is no data directory, and no marks */
    struct text before, now; /* lines: of the start before, and of this one */
};
/* Reads the marks of the start before. All are missing when their file is missing or cannot be
 * read: then every file is imported. */
void definitions_marks_read(const char *data_dir, struct definitions_marks *out);
/* Adds the mark of a file. Returns true when the start before had it too. */
bool definitions_marks_add(struct definitions_marks *marks, const char *path, struct bytes content);
/* Writes the marks of this start. Errors: NO_SPACE, IO. */
MUST_USE enum status definitions_marks_write(const struct definitions_marks *marks);
void definitions_marks_free(struct definitions_marks *marks);

#endif
