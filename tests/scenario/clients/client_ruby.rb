# Scenarios through bunny: client_ruby.rb NAME; AMQP_HOST, AMQP_PORT and AMQP_PREFIX say where and with which names.
require "bunny"
require "timeout"

PREFIX = ENV["AMQP_PREFIX"]

def expect(so, why)
  return if so
  warn why
  exit 1
end

def connect(**options)
  connection = Bunny.new({ host: ENV["AMQP_HOST"], port: ENV["AMQP_PORT"].to_i, log_level: :fatal,
                           recover_from_connection_close: false, automatically_recover: false }.merge(options))
  connection.start
  connection
end

def wait(what, seconds = 10)
  deadline = Time.now + seconds
  until (result = yield)
    expect(Time.now < deadline, "#{what} did not come")
    sleep 0.01
  end
  result
end

def basics(c)
  ch = c.create_channel
  q = ch.queue("", exclusive: true)
  got = []
  q.subscribe(manual_ack: true) do |info, _, body|
    got << body
    ch.ack(info.delivery_tag)
  end
  5.times { |i| q.publish("message #{i}", persistent: true) }
  wait("five messages") { got.size == 5 }
  expect(got == (0..4).map { |i| "message #{i}" }, "got #{got}")
end

def exchanges(c)
  ch = c.create_channel
  q = ch.queue("", exclusive: true)
  direct = ch.direct("#{PREFIX}.direct", auto_delete: true)
  fanout = ch.fanout("#{PREFIX}.fanout", auto_delete: true)
  topic = ch.topic("#{PREFIX}.topic", auto_delete: true)
  headers = ch.headers("#{PREFIX}.headers", auto_delete: true)
  q.bind(direct, routing_key: "key").bind(fanout).bind(topic, routing_key: "*.b")
  q.bind(headers, arguments: { "x-match" => "all", "n" => 1 })
  direct.publish("direct", routing_key: "key")
  fanout.publish("fanout")
  topic.publish("topic", routing_key: "a.b")
  topic.publish("wrong", routing_key: "a.b.c")
  headers.publish("headers", headers: { "n" => 1, "m" => 2 })
  headers.publish("wrong", headers: { "m" => 2 })
  wait("four messages") { q.message_count == 4 }
  expect(4.times.map { q.pop[2] } == %w[direct fanout topic headers], "wrong messages")
end

def confirms(c)
  ch = c.create_channel
  ch.confirm_select
  q = ch.queue("", exclusive: true)
  200.times { q.publish("x", persistent: true) }
  expect(ch.wait_for_confirms, "not all were confirmed")
  expect(ch.nacked_set.empty?, "some were nacked")
  returned = []
  x = ch.default_exchange
  x.on_return { |info, _, body| returned << [info.reply_code, body] }
  x.publish("lost", routing_key: "#{PREFIX}.nowhere", mandatory: true)
  ch.wait_for_confirms
  wait("a return") { returned.size == 1 }
  expect(returned == [[312, "lost"]], "returned #{returned}")
end

def requeue(c)
  ch = c.create_channel
  ch.prefetch(1)
  q = ch.queue("", exclusive: true)
  3.times { |i| q.publish(i.to_s) }
  got = []
  q.subscribe(manual_ack: true) do |info, _, body|
    got << [body, info.redelivered?]
    got.size == 1 ? ch.nack(info.delivery_tag, false, true) : ch.ack(info.delivery_tag)
  end
  wait("four deliveries") { got.size == 4 }
  expect(got == [["0", false], ["0", true], ["1", false], ["2", false]], "got #{got}")
end

def tx(c)
  ch = c.create_channel
  q = ch.queue("", exclusive: true)
  ch.tx_select
  q.publish("x")
  ch.tx_rollback
  q.publish("y")
  ch.tx_commit
  expect(q.pop[2] == "y" && q.pop[2].nil?, "a transaction that was rolled back")
end

def cancel_notify(c)
  ch = c.create_channel
  q = ch.queue("", exclusive: true)
  cancelled = false
  consumer = Bunny::Consumer.new(ch, q)
  consumer.on_cancellation { cancelled = true }
  q.subscribe_with(consumer)
  c.create_channel.queue_delete(q.name)
  wait("the notice") { cancelled }
end

def headers(c)
  ch = c.create_channel
  q = ch.queue("", exclusive: true)
  sent = { "bool" => true, "int" => 5, "big" => 1 << 40, "float" => 1.5, "text" => "s\u00fc\u00df".b, "time" => Time.at(1_700_000_000),
           "nil" => nil, "table" => { "a" => { "b" => [1, "x", { "c" => 2 }] } }, "array" => [1, 2, ["deep"]] }
  q.publish("x", headers: sent, content_type: "a/b", correlation_id: "c", reply_to: "r", message_id: "m", priority: 7,
                 type: "t", app_id: "a", timestamp: 1_700_000_000, expiration: "60000")
  _, got, = wait("the message") { (m = q.pop)[0] && m }
  expect(got.headers.merge("text" => got.headers["text"].b) == sent, "headers are #{got.headers}")
  expect([got.content_type, got.correlation_id, got.reply_to, got.message_id, got.priority, got.type, got.app_id,
          got.expiration] == ["a/b", "c", "r", "m", 7, "t", "a", "60000"], "properties are #{got}")
end

def sizes(c)
  ch = c.create_channel
  q = ch.queue("", exclusive: true)
  frame = c.frame_max
  [0, 1, frame - 9, frame - 8, frame - 7, 10_000_000].each do |size|
    body = "0123456789".b * (size / 10 + 1)
    body = body[0, size]
    q.publish(body)
    _, _, got = wait("a body of #{size}") { (m = q.pop)[0] && m }
    expect(got.b == body, "a body of #{size} bytes changed")
  end
end

def errors(c)
  good = c.create_channel
  bad = c.create_channel
  begin
    bad.queue_declare("#{PREFIX}.missing", passive: true)
    expect(false, "a missing queue")
  rescue Bunny::NotFound => e
    expect(e.channel_close.reply_code == 404, e.message)
  end
  q = good.queue("#{PREFIX}.q", exclusive: true)
  begin
    c.create_channel.queue_declare("#{PREFIX}.q", exclusive: true, auto_delete: true)
    expect(false, "other arguments")
  rescue Bunny::PreconditionFailed
    q.publish("still here")
  end
  other = connect
  begin
    other.create_channel.queue_purge("#{PREFIX}.q")
    expect(false, "another connection's queue")
  rescue Bunny::ResourceLocked
    other.close
  end
  begin
    connect(pass: "wrong")
    expect(false, "a wrong password")
  rescue Bunny::AuthenticationFailureError
    expect(q.pop[2] == "still here", "the first channel does not work")
  end
end

SCENARIOS = %w[basics exchanges confirms requeue tx cancel_notify headers sizes errors].freeze
if SCENARIOS.include?(ARGV[0])
  Timeout.timeout(60) do
    connection = connect
    send(ARGV[0], connection)
    connection.close
  end
else
  puts SCENARIOS
  exit 2
end
