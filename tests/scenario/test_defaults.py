#!/usr/bin/python3
"""What the configuration gives a new node and new vhosts: the default user's tags and permissions, default users, limits of
vhosts, rules for passwords."""
import pika
from harness import main, test
from http_api import Api

WHY = "the configuration is its own"


def connect(node, user, password, vhost):
    return pika.BlockingConnection(pika.ConnectionParameters(node.host, node.port, vhost,
                                                             pika.PlainCredentials(user, password)))


@test(own=True, leveret_only=WHY, management=True, settings={
    "default_user_tags.administrator": "true", "default_user_tags.custom": "true", "default_user_tags.other": "false",
    "default_permissions.configure": "^a", "default_permissions.write": "^b", "default_permissions.read": "^c"})
def the_default_user(node):
    api = Api(node)
    assert sorted(api.get("users/guest").json["tags"]) == ["administrator", "custom"]
    got = api.get("permissions/%2F/guest").json
    assert (got["configure"], got["write"], got["read"]) == ("^a", "^b", "^c"), got


@test(own=True, leveret_only=WHY, management=True, settings={
    "default_users.watcher.password": "p", "default_users.watcher.tags": "monitoring",
    "default_users.watcher.vhost_pattern": "^prod-", "default_users.watcher.configure": "^$",
    "default_users.watcher.write": "^$", "default_users.watcher.read": ".*",
    "default_limits.vhosts.prod.pattern": "^prod-", "default_limits.vhosts.prod.max_connections": "1",
    "default_limits.vhosts.prod.max_queues": "7"})
def users_and_limits_of_new_vhosts(node):
    api = Api(node)
    assert api.get("users/watcher").code == 404
    assert api.put("vhosts/test-a").code == 201
    assert api.get("users/watcher").code == 404
    assert api.get("vhost-limits/test-a").json == []
    assert api.put("vhosts/prod-a").code == 201
    assert api.get("users/watcher").json["tags"] == ["monitoring"]
    got = api.get("permissions/prod-a/watcher").json
    assert (got["configure"], got["write"], got["read"]) == ("^$", "^$", ".*"), got
    assert api.get("vhost-limits/prod-a").json == [
        {"vhost": "prod-a", "value": {"max-connections": 1, "max-queues": 7}}]
    connection = connect(node, "watcher", "p", "prod-a")
    try:
        connect(node, "guest", "guest", "prod-a")
        raise AssertionError("a second connection")
    except pika.exceptions.ProbableAccessDeniedError as error:
        assert "connection limit (1)" in str(error), error
    connection.close()
    # The password that an administrator has set stays.
    assert api.put("users/watcher", {"password": "other", "tags": "monitoring"}).code == 204
    assert api.put("vhosts/prod-b").code == 201
    connect(node, "watcher", "other", "prod-b").close()


@test(own=True, leveret_only=WHY, management=True, settings={
    "credential_validator.validation_backend": "rabbit_credential_validator_min_password_length",
    "credential_validator.min_length": "9", "password_hashing_module": "rabbit_password_hashing_sha512"})
def passwords_have_a_length(node):
    api = Api(node)
    for body in ({"password": "too-shor", "tags": ""}, {"tags": ""}):
        got = api.put("users/u", body)
        assert got.code == 400 and "minimum required password length is 9" in got.text, got
    assert api.get("users/u").code == 404
    assert api.put("users/u", {"password": "longenough", "tags": ""}).code == 201
    assert api.get("users/u").json["hashing_algorithm"] == "rabbit_password_hashing_sha512"
    assert api.get("auth/hash_password/x").code == 200


@test(own=True, leveret_only=WHY, management=True, settings={
    "credential_validator.validation_backend": "rabbit_credential_validator_password_regexp",
    "credential_validator.regexp": "^[a-z]{4,}[0-9]$"})
def passwords_match_an_expression(node):
    api = Api(node)
    got = api.put("users/u", {"password": "abcd", "tags": ""})
    assert got.code == 400 and "does not match the validator regular expression" in got.text, got
    assert api.put("users/u", {"password": "abcd1", "tags": ""}).code == 201


if __name__ == "__main__":
    main()
