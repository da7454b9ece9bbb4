<?php
// The everyday story through php-amqplib; see story.js for the steps.
require '/usr/share/php/PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPProtocolChannelException;
use PhpAmqpLib\Exception\AMQPTimeoutException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

const DELIVERIES = 10;
const PATIENCE = 60;
const QUIET = 2;
$prefix = getenv('AMQP_PREFIX');
$connection = new AMQPStreamConnection(getenv('AMQP_HOST'), (int)getenv('AMQP_PORT'), 'guest', 'guest');

// Handles what comes until $done(); false after that time.
function pump($channel, callable $done, float $seconds = PATIENCE): bool
{
    $end = microtime(true) + $seconds;
    while (!$done()) {
        if (microtime(true) > $end) {
            return false;
        }
        try {
            $channel->wait(null, false, 0.1);
        } catch (AMQPTimeoutException $nothing) {
        }
    }
    return true;
}

function need(bool $good, string $what): void
{
    if (!$good) {
        fwrite(STDERR, "$what did not come\n");
        exit(1);
    }
}

function declare_queue($channel, string $name, array $arguments = []): void
{
    $channel->queue_declare($name, false, true, false, false, false, new AMQPTable($arguments));
}

function send($channel, string $name, string $body, ?AMQPTable $headers = null): void
{
    $properties = ['delivery_mode' => 2] + ($headers ? ['application_headers' => $headers] : []);
    $channel->basic_publish(new AMQPMessage($body, $properties), '', $name);
}

function consume($channel, string $name, callable $handle): void
{
    $channel->basic_consume($name, '', false, false, false, false, $handle);
}

$steps = [
    'work' => function () use ($connection, $prefix) {
        $channel = $connection->channel();
        $channel->confirm_select();
        declare_queue($channel, "$prefix.work", ['x-queue-type' => 'quorum']);
        for ($i = 0; $i < 10; $i++) {
            send($channel, "$prefix.work", (string)$i);
        }
        $channel->wait_for_pending_acks(PATIENCE);
        $channel->basic_qos(0, 3, false);
        $got = [];
        consume($channel, "$prefix.work", function ($m) use (&$got) {
            $got[] = $m->getBody();
            $m->ack();
        });
        need(pump($channel, function () use (&$got) { return count($got) === 10; }), 'the work');
        return implode(' ', $got);
    },
    'returned' => function () use ($connection, $prefix) {
        $channel = $connection->channel();
        $channel->confirm_select();
        $code = 0;
        $channel->set_return_listener(function ($reply_code) use (&$code) { $code = $reply_code; });
        $channel->basic_publish(new AMQPMessage('lost'), '', "$prefix.nowhere", true);
        $channel->wait_for_pending_acks_returns(PATIENCE);
        return (string)$code;
    },
    'error' => function () use ($connection, $prefix) {
        $code = 0;
        try {
            $connection->channel()->queue_declare("$prefix.missing", true);
        } catch (AMQPProtocolChannelException $closed) {
            $code = $closed->getCode();
        }
        declare_queue($connection->channel(), "$prefix.there");
        return (string)$code;
    },
    'retry' => function () use ($connection, $prefix) {
        $channel = $connection->channel();
        $name = "$prefix.retry";
        declare_queue($channel, $name);
        declare_queue($channel, "$name.wait", ['x-message-ttl' => 20, 'x-dead-letter-exchange' => '',
                                               'x-dead-letter-routing-key' => $name]);
        $counts = [];
        consume($channel, $name, function ($m) use (&$counts, $channel, $name) {
            $headers = $m->get('application_headers');
            $counts[] = $headers->getNativeData()['x-death'][0]['count'];
            if (count($counts) < 3) {
                send($channel, "$name.wait", $m->getBody(), $headers);
            }
            $m->ack();
        });
        send($channel, "$name.wait", 'again');
        need(pump($channel, function () use (&$counts) { return count($counts) === 3; }), 'three attempts');
        return implode(' ', $counts);
    },
    'global' => function () use ($connection, $prefix) {
        $channel = $connection->channel();
        $channel->confirm_select();
        declare_queue($channel, "$prefix.global");
        for ($i = 0; $i < 4; $i++) {
            send($channel, "$prefix.global", (string)$i);
        }
        $channel->wait_for_pending_acks(PATIENCE);
        $channel->basic_qos(0, 1, true);
        $held = 0;
        for ($i = 0; $i < 2; $i++) {
            consume($channel, "$prefix.global", function () use (&$held) { $held++; });
        }
        need(pump($channel, function () use (&$held) { return $held > 0; }), 'a delivery');
        pump($channel, function () use (&$held) { return $held > 1; }, QUIET);
        return (string)$held;
    },
];
foreach (['nack', 'reject'] as $how) {
    $steps[$how] = function () use ($connection, $prefix, $how) {
        $channel = $connection->channel();
        $name = "$prefix.$how";
        declare_queue($channel, "$name.dead");
        declare_queue($channel, $name, ['x-queue-type' => 'quorum', 'x-delivery-limit' => 3, 'x-dead-letter-exchange' => '',
                                        'x-dead-letter-routing-key' => "$name.dead"]);
        $deliveries = 0;
        $end = '';
        consume($channel, "$name.dead", function ($m) use (&$deliveries, &$end) {
            $m->ack();
            $headers = $m->get('application_headers')->getNativeData();
            $end = "dead after $deliveries by {$headers['x-death'][0]['reason']}, " . ($headers['x-last-death-reason'] ?? 'none');
        });
        consume($channel, $name, function ($m) use (&$deliveries, &$end, $how) {
            if (++$deliveries < DELIVERIES) {
                $how === 'nack' ? $m->nack(true) : $m->reject(true);
            } else {
                $m->ack();
                $end = 'alive';
            }
        });
        send($channel, $name, 'poison');
        need(pump($channel, function () use (&$end) { return $end !== ''; }), 'an end');
        return $end;
    };
}
foreach (array_slice($argv, 1) as $name) {
    echo "$name: {$steps[$name]()}\n";
}
$connection->close();
