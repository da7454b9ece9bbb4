#!/bin/sh
# Scenarios through rabbitmq-c's amqp-tools: tools.sh NAME.
set -eu
server="-s $AMQP_HOST --port=$AMQP_PORT"
queue="$AMQP_PREFIX.tools"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

is() {
    [ "$1" = "$2" ] || { echo "got '$1', expected '$2'" >&2; exit 1; }
}

publish() { amqp-publish $server -r "$queue" "$@"; }
declare_queue() { amqp-declare-queue $server -q "$queue" -d >"$work/declared"; }
delete_queue() { amqp-delete-queue $server -q "$queue"; }

publish_get() {
    declare_queue
    is "$(cat "$work/declared")" "$queue"
    publish -p -b "hello"
    is "$(amqp-get $server -q "$queue")" "hello"
    if amqp-get $server -q "$queue"; then
        echo "got a message of an empty queue" >&2
        exit 1
    fi
    is "$(delete_queue)" 0
}

consume() {
    declare_queue
    for i in 1 2 3; do publish -b "message $i"; done
    # Each message is a run of the command, with the body as its input.
    timeout 20 amqp-consume $server -q "$queue" -c 3 -p 1 -- sh -c 'cat; echo' >"$work/out"
    is "$(tr '\n' '|' <"$work/out")" "message 1|message 2|message 3|"
    is "$(delete_queue)" 0
}

bound_consume() {
    timeout 20 amqp-consume $server -e amq.topic -r "$queue.#" -c 1 -- cat >"$work/out" &
    consumer=$!
    n=0
    # The queue is the server's to name; it is there when a mandatory publish is no longer returned: just try again.
    while kill -0 $consumer 2>/dev/null && [ $n -lt 100 ]; do
        amqp-publish $server -e amq.topic -r "$queue.x" -b "routed"
        n=$((n + 1))
        sleep 0.1
    done
    wait $consumer
    is "$(cat "$work/out")" "routed"
}

large() {
    declare_queue
    head -c 3000000 /dev/urandom >"$work/body"
    publish <"$work/body"
    amqp-get $server -q "$queue" >"$work/out"
    cmp "$work/body" "$work/out"
    is "$(delete_queue)" 0
}

case ${1:-} in
publish_get | consume | bound_consume | large) "$1" ;;
*) echo "publish_get consume bound_consume large" ;;
esac
