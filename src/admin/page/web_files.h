/* The files of the page as constants; scripts/embed-web makes web_files.c of them when the program
 * is built. Thread: any. */
#ifndef LEVERET_ADMIN_WEB_FILES_H
#define LEVERET_ADMIN_WEB_FILES_H

#include <stddef.h>
#include <stdint.h>

struct web_file {
    const char *path; /* below the page's folder: "index.html", "pages/queues.js" */
    const char *type; /* Content-Type */
    const char *etag; /* of the bytes, with its quotes */
    const uint8_t *bytes, *gzip;
    size_t len, gzip_len;
};

/* Ended by a NULL path. */
extern const struct web_file web_files[];

#endif
