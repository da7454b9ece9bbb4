/* Keys of users and passwords, and of what a new node and a new vhost get. key.h says what a row
 * means. */
#include "leveretd/settings/key.h"

const struct key keys_access[] = {
    {KEY_PLAIN("default_user", KEY_TEXT, default_user, "guest")},
    {KEY_PLAIN("default_pass", KEY_SECRET, default_pass, "guest")},
    {KEY_PLAIN("default_vhost", KEY_TEXT, default_vhost, "/")},
    {KEY_CHOICE("default_queue_type", default_queue_type, "classic", "quorum")},
    {KEY_PLAIN("anonymous_login_user", KEY_TEXT_OR_OFF, anonymous_user, NULL)},
    {KEY_PLAIN("loopback_users", KEY_USERS, loopback_users, "guest"), .live = true},
    {KEY_PLAIN("loopback_users.$user", KEY_USER, loopback_users, NULL), .live = true},
    {.name = NULL},
};
