/* Values in the forms of Erlang and Elixir that rabbitmqctl prints. */
#ifndef LEVERETCTL_TERM_H
#define LEVERETCTL_TERM_H

#include "ctl/output/value.h"

/* Adds a table of arguments as [{"x-expires",1000},{"list",[1,"x",true]}]. */
void term_show(const struct value *value, struct text *out);
/* Adds a list of words as [monitoring, management]. */
void term_show_words(const struct value *value, struct text *out);

/* A table of arguments as rabbitmqctl has it in JSON: a list of [name, type, value]. The types are
 * worked out from the values, since the API does not tell them. The caller frees it. */
struct value *term_json(const struct value *value);

#endif
