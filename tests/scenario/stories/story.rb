# The everyday story through bunny; see story.js for the steps.
require "bunny"

PREFIX = ENV["AMQP_PREFIX"]
DELIVERIES = 10
PATIENCE = 60
QUIET = 2
CONNECTION = Bunny.new(host: ENV["AMQP_HOST"], port: ENV["AMQP_PORT"].to_i, log_level: :fatal,
                       recover_from_connection_close: false, automatically_recover: false).start

def wait(what, seconds = PATIENCE)
  deadline = Time.now + seconds
  until yield
    raise "#{what} did not come" if Time.now > deadline
    sleep 0.02
  end
end

def channel
  ch = CONNECTION.create_channel
  ch.confirm_select
  ch
end

def publish(ch, queue, body, **options)
  ch.default_exchange.publish(body, routing_key: queue, persistent: true, **options)
  ch.wait_for_confirms
end

def work
  ch = channel
  got = []
  q = ch.queue("#{PREFIX}.work", durable: true, arguments: { "x-queue-type" => "quorum" })
  10.times { |i| publish(ch, q.name, i.to_s) }
  ch.prefetch(3)
  q.subscribe(manual_ack: true) do |info, _, body|
    got << body
    ch.ack(info.delivery_tag)
  end
  wait("the work") { got.size == 10 }
  got.join(" ")
end

def returned
  ch = channel
  codes = []
  exchange = ch.default_exchange
  exchange.on_return { |info, _, _| codes << info.reply_code }
  exchange.publish("lost", routing_key: "#{PREFIX}.nowhere", mandatory: true)
  wait("the return") { !codes.empty? }
  codes.join(" ")
end

def error
  bad = channel
  bad.queue_declare("#{PREFIX}.missing", passive: true)
  "nothing"
rescue Bunny::NotFound => e
  channel.queue("#{PREFIX}.there", durable: true)
  e.channel_close.reply_code.to_s
end

def poison(how)
  ch = channel
  name = "#{PREFIX}.#{how}"
  deliveries = 0
  ending = nil
  dead = ch.queue("#{name}.dead", durable: true)
  q = ch.queue(name, durable: true, arguments: { "x-queue-type" => "quorum", "x-delivery-limit" => 3,
                                                 "x-dead-letter-exchange" => "", "x-dead-letter-routing-key" => dead.name })
  dead.subscribe(manual_ack: true) do |info, properties, _|
    ch.ack(info.delivery_tag)
    ending = "dead after #{deliveries} by #{properties.headers['x-death'][0]['reason']}, #{properties.headers['x-last-death-reason']}"
  end
  q.subscribe(manual_ack: true) do |info, _, _|
    deliveries += 1
    if deliveries < DELIVERIES
      how == "nack" ? ch.nack(info.delivery_tag, false, true) : ch.reject(info.delivery_tag, true)
    else
      ch.ack(info.delivery_tag)
      ending = "alive"
    end
  end
  publish(ch, name, "poison")
  wait("an end") { ending }
  ending
end

def try_again
  ch = CONNECTION.create_channel
  name = "#{PREFIX}.retry"
  counts = []
  q = ch.queue(name, durable: true)
  ch.queue("#{name}.wait", durable: true, arguments: { "x-message-ttl" => 20, "x-dead-letter-exchange" => "",
                                                       "x-dead-letter-routing-key" => name })
  q.subscribe(manual_ack: true) do |info, properties, body|
    counts << properties.headers["x-death"][0]["count"]
    ch.default_exchange.publish(body, routing_key: "#{name}.wait", headers: properties.headers) if counts.size < 3
    ch.ack(info.delivery_tag)
  end
  ch.default_exchange.publish("again", routing_key: "#{name}.wait")
  wait("three attempts") { counts.size == 3 }
  counts.join(" ")
end

def global
  ch = channel
  held = 0
  q = ch.queue("#{PREFIX}.global", durable: true)
  4.times { |i| publish(ch, q.name, i.to_s) }
  ch.basic_qos(1, true)
  2.times { q.subscribe(manual_ack: true) { held += 1 } }
  wait("a delivery") { held > 0 }
  deadline = Time.now + QUIET
  sleep 0.02 while held < 2 && Time.now < deadline
  held.to_s
end

STEPS = { "work" => -> { work }, "returned" => -> { returned }, "error" => -> { error }, "nack" => -> { poison("nack") },
          "reject" => -> { poison("reject") }, "retry" => -> { try_again }, "global" => -> { global } }
ARGV.each { |name| puts "#{name}: #{STEPS[name].call}" }
CONNECTION.close
