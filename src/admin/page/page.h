/* The page for people: its files, and the log-in that its browsers use. What it shows and does goes
 * through the API, as any other client's requests. Thread: the main thread. */
#ifndef LEVERET_ADMIN_PAGE_H
#define LEVERET_ADMIN_PAGE_H

#include "admin/http/routes.h"

/* The files, which anybody may have. Without the page (--without-page) the table of files is empty,
 * and each is answered 404. */
extern const struct route web_routes[];
/* POST and DELETE /api/login. */
extern const struct route login_routes[];

/* Returns true when the program was built with the page. */
bool web_is_built(void);

#endif
