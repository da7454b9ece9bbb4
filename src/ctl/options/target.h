/* Where the broker is asked, worked out of all sources. */
#ifndef LEVERETCTL_TARGET_H
#define LEVERETCTL_TARGET_H

#include "ctl/options/options.h"

/* Takes a URI apart into the settings: http[s]://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX]. Returns
 * NULL, or a static text that says what is wrong without showing the URI. */
const char *target_set_uri(struct options *options, const char *uri);

/* When all sources are read: chooses the control socket when it was named, or when neither host,
 * port, user nor password was, and a broker of this machine answers on it. Returns false after
 * printing an error. */
bool target_choose(struct options *options);

#endif
