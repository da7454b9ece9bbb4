#!/usr/bin/python3
"""Users and vhosts: deleted in bulk, lost permissions, a directory of users that is lost, a vhost made on a full disk."""
import shutil
import threading

import broker
from fast import Fast, Gone
from harness import eventually, main, name, test
from http_api import Api, q
from small_disk import free_bytes, small_disk


def people(api, count, stem):
    """Makes users by definitions, which is quick; answers their names."""
    names = [f"{stem}-{i}" for i in range(count)]
    permissions = [{"user": n, "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"} for n in names]
    users = [{"name": n, "password": "p", "tags": ""} for n in names]
    assert api.post("definitions", {"users": users, "permissions": permissions}).code == 204
    return names


@test
def bulk_delete_closes_connections(node):
    api, gone = Api(node), people(Api(node), 5, name("u"))
    stays = people(api, 1, name("s"))[0]
    with Fast(node, user=gone[1], password="p") as link, Fast(node, user=stays, password="p") as other:
        assert api.post("users/bulk-delete", {"users": gone}).code == 204
        try:
            link.next()
            raise AssertionError("the connection of a deleted user stays")
        except Gone as closed:
            assert closed.code == 320, closed
        assert other.declare(name("q"))[0] == 0
    left = [u["name"] for u in api.get("users").json]
    assert stays in left and not set(gone) & set(left)
    try:
        Fast(node, user=gone[1], password="p")
        raise AssertionError("a deleted user logs in")
    except Gone:
        pass
    answer = api.post("users/bulk-delete", {"users": [stays, gone[0]]})
    assert answer.code == 400 and answer.json["reason"] == ["no_such_user", gone[0]], answer
    assert api.get(f"users/{stays}").code == 200, "all or none is deleted"


def seen_under_way(node, gone):
    """Deletes the users; answers whether somebody who asked meanwhile saw some of them gone and others there."""
    api, codes = Api(node), []
    deleting = threading.Thread(target=lambda: codes.append(api.post("users/bulk-delete", {"users": gone}).code))
    deleting.start()
    seen = False
    while deleting.is_alive() and not seen:
        seen = api.get(f"users/{gone[0]}").code == 404 and api.get(f"users/{gone[-1]}").code == 200
    deleting.join()
    assert codes == [204] and api.get(f"users/{gone[-1]}").code == 404
    return seen


@test(seconds=120)
def bulk_delete_goes_on_in_portions(node):
    """While some thousand users are deleted others are served. Who asks may come too late: then it is tried again."""
    assert any(seen_under_way(node, people(Api(node), 3000, name("u"))) for _ in range(10))


@test
def lost_permission_holds_at_once(node):
    api, user, queue = Api(node), people(Api(node), 1, name("u"))[0], name("q")
    with Fast(node, user=user, password="p") as link:
        link.declare(queue)
        assert api.delete(f"permissions/%2F/{user}").code == 204
        try:
            link.declare(queue)
            raise AssertionError("declared without a permission")
        except Gone as refused:
            assert refused.code == 403, refused


def refused_start(node):
    try:
        node.start()
    except broker.DidNotStart as refused:
        return str(refused)
    raise AssertionError("it starts as if nothing was missing")


@test(own=True, management=True)
def lost_directory_of_users(node):
    """Without node/ the broker does not start with a new guest beside the messages of others."""
    api = Api(node)
    assert api.put("users/me", {"password": "mine", "tags": "administrator"}).code == 201
    assert api.delete("users/guest").code == 204
    node.stop()
    kept = node.dir / "kept"
    (node.data / "node").rename(kept)
    assert "node" in refused_start(node) and "backup" in refused_start(node)
    assert not (node.data / "node").exists(), "nothing is made anew"
    # Emptied, and cut to a database without its records: the same.
    (node.data / "node").mkdir()
    assert "backup" in refused_start(node)
    shutil.rmtree(node.data / "node")
    kept.rename(node.data / "node")
    node.start()
    assert Api(node, "me", "mine").get("whoami").code == 200
    assert Api(node).get("whoami").code == 401


@test(seconds=120)
def vhost_on_a_full_disk(node):
    """A vhost that could not be stored is not there at all, and PUT makes it once there is room."""
    with small_disk(24 << 20) as folder:
        with broker.Leveretd(dir=folder, management=True, settings={"disk_free_limit.absolute": "1"}).start() as full:
            api = Api(full)
            filler = folder / "filler"
            with open(filler, "wb") as file:
                file.write(bytes(free_bytes(folder)))
            # Longer than what is left of the last block that the store has already.
            answer = api.put("vhosts/v", {"description": "d" * 4096})
            assert answer.code in (400, 500, 503), answer
            assert api.get("vhosts/v").code == 404
            assert "v" not in [p["vhost"] for p in api.get("permissions").json]
            file = {"vhosts": [{"name": f"w{i}", "description": "d" * 4096} for i in range(40)]}
            answer = api.post("definitions", file)
            assert answer.code == 400 and "0 of 40 entries were carried out; not: vhosts[0]" in answer.json["reason"], answer
            assert [one["name"] for one in api.get("vhosts?columns=name").json] == ["/"]
            filler.unlink()
            eventually(lambda: api.put("vhosts/v", {"description": "d" * 4096}).code == 201, 30, "the vhost")
            assert api.get("permissions/v/guest").code == 200
            eventually(lambda: api.post("definitions", file).code == 204, 30, "the file's vhosts")
            assert api.get("permissions/w39/guest").code == 200
            full.restart()
            eventually(lambda: Api(full).get("permissions/v/guest").code == 200)


if __name__ == "__main__":
    main(management=True)
