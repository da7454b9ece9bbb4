#!/usr/bin/python3
"""Vhosts that cannot be opened, and vhosts whose deletion was cut short: the others and the broker go on."""
import os
import random
import shutil
import subprocess
import threading
import time

import broker
from fast import Fast, Gone
from harness import main, test
from http_api import Api


def fill(node, vhost, count, size=1000):
    with Fast(node, seconds=60, vhost=vhost) as link:
        link.declare("q", durable=True)
        link.confirm()
        for _ in range(count):
            link.send(link.publish("", "q", bytes(size)))
        confirmed = 0
        while confirmed < count:
            event = link.next()
            confirmed = event[1] if event[2] else confirmed + 1


def depth(node, vhost):
    with Fast(node, seconds=60, vhost=vhost) as link:
        return link.declare("q", durable=True)[0]


def ctl(node, *words):
    program = broker.build_folder() / "leveretctl"
    return subprocess.run([program, "--port", str(node.management_port), *words], capture_output=True, text=True,
                          timeout=60, check=False)


@test(own=True, seconds=60, leveret_only="its own files", management=True)
def a_damaged_vhost_is_down(node):
    api = Api(node)
    for name in ("good", "bad"):
        assert api.put(f"vhosts/{name}").code == 201
        fill(node, name, 20)
    node.stop()
    current = node.data / "vhosts" / "bad" / "CURRENT"
    kept = current.read_text()
    current.write_text("MANIFEST-777777\n")
    node.start()
    assert depth(node, "good") == 20
    try:
        Fast(node, seconds=60, vhost="bad")
        raise AssertionError("a vhost that is down can be opened")
    except Gone as gone:
        assert gone.code == 541 and "vhost 'bad' is down" in str(gone), gone
    row = {v["name"]: v for v in api.get("vhosts").json}
    assert row["good"]["state"] == "running" and "reason" not in row["good"], row["good"]
    assert row["bad"]["state"] == "down" and "MANIFEST-777777" in row["bad"]["reason"], row["bad"]
    assert set(row["bad"]["cluster_state"].values()) == {"down"}, row["bad"]
    health = api.get("health/checks/virtual-hosts")
    assert health.code == 503 and health.json["virtual-hosts"] == ["bad"], health
    asked = api.put("queues/bad/new", {"durable": True})
    assert asked.code == 503 and "vhost 'bad' is down" in asked.json["reason"], asked
    assert api.get("queues/bad/q").code == 503
    assert api.get("queues").code == 200
    assert "MANIFEST-777777" in node.log(this_run=True)
    # It cannot be opened yet; then it can.
    (this_node,) = row["bad"]["cluster_state"]
    assert api.post(f"vhosts/bad/start/{this_node}").code == 503
    assert api.post("vhosts/bad/start/other@node").code == 404
    assert api.post(f"vhosts/none/start/{this_node}").code == 404
    current.write_text(kept)
    done = ctl(node, "-p", "bad", "restart_vhost")
    assert done.returncode == 0, done
    assert depth(node, "bad") == 20
    assert api.get("health/checks/virtual-hosts").code == 200
    assert api.get("vhosts/bad").json["state"] == "running"
    assert api.post(f"vhosts/bad/start/{this_node}").code == 204


@test(own=True, seconds=60, leveret_only="its own files", management=True)
def a_vhost_that_is_down_can_be_deleted(node):
    api = Api(node)
    assert api.put("vhosts/bad").code == 201
    fill(node, "bad", 20)
    node.stop()
    (node.data / "vhosts" / "bad" / "CURRENT").write_text("")
    node.start()
    assert api.get("vhosts/bad").json["state"] == "down"
    assert api.delete("vhosts/bad").code == 204
    assert not list((node.data / "vhosts").glob("bad*"))
    assert api.put("vhosts/bad").code == 201
    assert depth(node, "bad") == 0


@test(own=True, seconds=120, leveret_only="its own files", management=True)
def killed_while_a_vhost_is_deleted(node):
    """The broker starts; the vhost is there, empty, or gone; what was in it does not come back under its name."""
    rng = random.Random(3)
    api = Api(node)
    assert api.put("vhosts/keeps").code == 201
    fill(node, "keeps", 10)
    for attempt in range(8):
        assert api.put("vhosts/goes").code in (201, 204)
        fill(node, "goes", 40, 300_000)

        def delete():
            try:
                Api(node).delete("vhosts/goes")
            except OSError:
                pass

        thread = threading.Thread(target=delete, daemon=True)
        thread.start()
        time.sleep(rng.uniform(0, 0.03))
        node.kill()
        thread.join(20)
        node.start()
        assert not list((node.data / "vhosts").glob(".deleted-*")), "a deleted vhost's files are left"
        states = {v["name"]: v["state"] for v in api.get("vhosts").json}
        assert set(states.values()) == {"running"}, states
        assert depth(node, "keeps") == 10
        assert api.put("vhosts/goes").code in (201, 204)
        # All of it or nothing, and nothing once the name was free.
        assert depth(node, "goes") in ((0, 40) if "goes" in states else (0,)), (attempt, states)
        assert api.delete("vhosts/goes").code == 204
        assert api.put("vhosts/goes").code == 201
        assert depth(node, "goes") == 0


@test(own=True, seconds=60, leveret_only="its own files")
def a_first_start_that_was_cut_short(node):
    """An empty file format with nothing beside it is accepted; with data beside it, it is damage."""
    node.stop()
    kept = node.dir / "kept"
    shutil.move(node.data, kept)
    node.data.mkdir()
    (node.data / "format").touch()
    (node.data / "format.new").write_text("leveret")
    node.start()
    fill(node, "/", 5)
    node.stop()
    assert (node.data / "format").read_text().startswith("leveret data format ")
    os.truncate(node.data / "format", 0)
    try:
        node.start()
        raise AssertionError("a damaged format file is accepted")
    except broker.DidNotStart as refused:
        assert "format" in str(refused), refused


if __name__ == "__main__":
    main(shared=False)
