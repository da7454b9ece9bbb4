<?php
// php-amqplib against AMQP_HOST and AMQP_PORT; see test_clients.py. All in one scenario.
require '/usr/share/php/PhpAmqpLib/autoload.php';

use PhpAmqpLib\Connection\AMQPStreamConnection;
use PhpAmqpLib\Exception\AMQPProtocolChannelException;
use PhpAmqpLib\Message\AMQPMessage;
use PhpAmqpLib\Wire\AMQPTable;

function expect(bool $good, string $what): void
{
    if (!$good) {
        fwrite(STDERR, "$what\n");
        exit(1);
    }
}

$connection = new AMQPStreamConnection(getenv('AMQP_HOST'), getenv('AMQP_PORT'), 'guest', 'guest');
$ch = $connection->channel();
$ch->confirm_select();
[$q] = $ch->queue_declare('', false, false, true, true);

foreach ([0, 1, 131063, 131064, 131065, 5000000] as $size) {
    $body = str_repeat('x', $size);
    $ch->basic_publish(new AMQPMessage($body), '', $q);
    $ch->wait_for_pending_acks(20);
    $got = $ch->basic_get($q, true);
    expect($got && $got->getBody() === $body, "$size bytes");
}
echo "ok bodies\n";

$headers = ['int' => 7, 'text' => 'häse', 'array' => [1, 'two'], 'table' => ['a' => ['b' => true]], 'null' => null];
$ch->basic_publish(new AMQPMessage('m', ['application_headers' => new AMQPTable($headers), 'priority' => 3]), '', $q);
$ch->wait_for_pending_acks(20);
$got = $ch->basic_get($q, true);
expect($got->get('application_headers')->getNativeData() == $headers, 'headers');
echo "ok headers\n";

foreach (['direct', 'fanout', 'topic'] as $type) {
    $ch->exchange_declare(getenv('AMQP_PREFIX') . $type, $type);
    $ch->queue_bind($q, getenv('AMQP_PREFIX') . $type, 'a.b');
    $ch->basic_publish(new AMQPMessage($type), getenv('AMQP_PREFIX') . $type, 'a.b');
    $ch->wait_for_pending_acks(20);
    expect($ch->basic_get($q, true)->getBody() === $type, $type);
    $ch->exchange_delete(getenv('AMQP_PREFIX') . $type);
}
echo "ok exchanges\n";

for ($i = 0; $i < 100; $i++) {
    $ch->basic_publish(new AMQPMessage((string)$i, ['delivery_mode' => 2]), '', $q);
}
$ch->wait_for_pending_acks(20);
$ch->basic_qos(0, 10, false);
$seen = 0;
$ch->basic_consume($q, '', false, false, false, false, function ($message) use (&$seen) {
    expect($message->getBody() === (string)$seen, "message $seen: " . $message->getBody());
    $seen++;
    $message->ack();
});
while ($seen < 100) {
    $ch->wait(null, false, 20);
}
echo "ok consuming\n";

try {
    $connection->channel()->queue_declare('php none ' . getmypid(), true);
    expect(false, 'a queue that is not there');
} catch (AMQPProtocolChannelException $error) {
    expect($error->getCode() === 404, 'code ' . $error->getCode());
}
echo "ok errors\n";
$connection->close();
