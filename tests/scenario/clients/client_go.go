// Scenarios through the Go client: client_go NAME; AMQP_HOST, AMQP_PORT and AMQP_PREFIX say where and with which names.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

var ctx = context.Background()

func expect(so bool, format string, arguments ...interface{}) {
	if !so {
		fmt.Fprintf(os.Stderr, format+"\n", arguments...)
		os.Exit(1)
	}
}

func good(err error, what string) {
	expect(err == nil, "%s: %v", what, err)
}

func name(stem string) string {
	return os.Getenv("AMQP_PREFIX") + "." + stem
}

func connect() *amqp.Connection {
	c, err := amqp.Dial(fmt.Sprintf("amqp://guest:guest@%s:%s/", os.Getenv("AMQP_HOST"), os.Getenv("AMQP_PORT")))
	good(err, "dial")
	return c
}

func channel(c *amqp.Connection) *amqp.Channel {
	ch, err := c.Channel()
	good(err, "channel")
	return ch
}

func queue(ch *amqp.Channel, wanted string) string {
	q, err := ch.QueueDeclare(wanted, false, false, true, false, nil)
	good(err, "queue.declare")
	return q.Name
}

func publish(ch *amqp.Channel, exchange, key string, p amqp.Publishing) {
	good(ch.PublishWithContext(ctx, exchange, key, false, false, p), "publish")
}

func consume(ch *amqp.Channel, q string, ack bool) <-chan amqp.Delivery {
	d, err := ch.Consume(q, "", !ack, false, false, false, nil)
	good(err, "consume")
	return d
}

func next(deliveries <-chan amqp.Delivery) amqp.Delivery {
	select {
	case d, open := <-deliveries:
		expect(open, "the deliveries ended")
		return d
	case <-time.After(10 * time.Second):
		expect(false, "no delivery")
	}
	panic("not reached")
}

func nothing(deliveries <-chan amqp.Delivery) {
	select {
	case d := <-deliveries:
		expect(false, "an unexpected delivery: %q", d.Body)
	case <-time.After(300 * time.Millisecond):
	}
}

func text(s string) amqp.Publishing {
	return amqp.Publishing{Body: []byte(s)}
}

func basics(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	publish(ch, "", q, text("one"))
	publish(ch, "", q, text("two"))
	d := consume(ch, q, true)
	first, second := next(d), next(d)
	expect(string(first.Body) == "one" && string(second.Body) == "two" && !first.Redelivered, "wrong deliveries")
	good(second.Ack(true), "ack")
	n, err := ch.QueuePurge(q, false)
	good(err, "purge")
	expect(n == 0, "%d messages are left", n)
}

func exchanges(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	for _, kind := range []string{"direct", "fanout", "topic", "headers"} {
		good(ch.ExchangeDeclare(name(kind), kind, false, true, false, false, nil), "exchange.declare")
	}
	good(ch.QueueBind(q, "key", name("direct"), false, nil), "bind")
	good(ch.QueueBind(q, "", name("fanout"), false, nil), "bind")
	good(ch.QueueBind(q, "#.z", name("topic"), false, nil), "bind")
	good(ch.QueueBind(q, "", name("headers"), false, amqp.Table{"x-match": "any", "a": int32(1), "b": "2"}), "bind")
	d := consume(ch, q, false)
	publish(ch, name("direct"), "key", text("direct"))
	publish(ch, name("direct"), "no", text("wrong"))
	publish(ch, name("fanout"), "any", text("fanout"))
	publish(ch, name("topic"), "x.y.z", text("topic"))
	publish(ch, name("topic"), "x.y", text("wrong"))
	publish(ch, name("headers"), "", amqp.Publishing{Headers: amqp.Table{"b": "2"}, Body: []byte("headers")})
	publish(ch, name("headers"), "", amqp.Publishing{Headers: amqp.Table{"a": int32(2)}, Body: []byte("wrong")})
	for _, want := range []string{"direct", "fanout", "topic", "headers"} {
		got := string(next(d).Body)
		expect(got == want, "%s came, expected %s", got, want)
	}
	nothing(d)
	good(ch.QueueBind(q, "another", name("direct"), false, nil), "bind") // the last one would take the exchange along
	good(ch.QueueUnbind(q, "key", name("direct"), nil), "unbind")
	publish(ch, name("direct"), "key", text("wrong"))
	nothing(d)
}

func confirms(c *amqp.Connection) {
	const count = 1000
	ch := channel(c)
	q := queue(ch, "")
	good(ch.Confirm(false), "confirm.select")
	acks := ch.NotifyPublish(make(chan amqp.Confirmation, count))
	returned := ch.NotifyReturn(make(chan amqp.Return, count))
	for i := 0; i < count; i++ {
		publish(ch, "", q, amqp.Publishing{Body: []byte("x"), DeliveryMode: amqp.Persistent})
	}
	for i := uint64(1); i <= count; i++ {
		select {
		case a := <-acks:
			expect(a.Ack && a.DeliveryTag == i, "confirm %v, expected %d", a, i)
		case <-time.After(10 * time.Second):
			expect(false, "no confirm %d", i)
		}
	}
	good(ch.PublishWithContext(ctx, "", name("nowhere"), true, false, text("lost")), "publish")
	a := <-acks
	expect(a.Ack, "an unroutable message is acked")
	select {
	case r := <-returned:
		expect(r.ReplyCode == 312 && string(r.Body) == "lost", "return %v", r)
	default:
		expect(false, "the return must come before the confirm")
	}
}

func qos(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	good(ch.Qos(3, 0, false), "qos")
	for i := 0; i < 6; i++ {
		publish(ch, "", q, text(fmt.Sprint(i)))
	}
	d := consume(ch, q, true)
	for i := 0; i < 3; i++ {
		next(d)
	}
	nothing(d)
	good(ch.Ack(2, true), "ack")
	next(d)
	next(d)
	nothing(d)
}

func requeue(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	for i := 0; i < 3; i++ {
		publish(ch, "", q, text(fmt.Sprint(i)))
	}
	good(ch.Qos(3, 0, false), "qos")
	d := consume(ch, q, true)
	for i := 0; i < 3; i++ {
		next(d)
	}
	good(ch.Nack(3, true, true), "nack")
	for i := 0; i < 3; i++ {
		again := next(d)
		expect(string(again.Body) == fmt.Sprint(i) && again.Redelivered, "%q came back %d", again.Body, i)
	}
	good(ch.Reject(4, false), "reject")
}

func get(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	_, ok, err := ch.Get(q, true)
	good(err, "get")
	expect(!ok, "got a message of an empty queue")
	publish(ch, "", q, text("a"))
	publish(ch, "", q, text("b"))
	m, ok, err := ch.Get(q, false)
	good(err, "get")
	expect(ok && string(m.Body) == "a" && m.MessageCount == 1, "got %v", m)
	good(m.Ack(false), "ack")
}

func tx(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	good(ch.Tx(), "tx.select")
	publish(ch, "", q, text("x"))
	good(ch.TxRollback(), "rollback")
	publish(ch, "", q, text("y"))
	good(ch.TxCommit(), "commit")
	m, ok, err := ch.Get(q, true)
	good(err, "get")
	expect(ok && string(m.Body) == "y" && m.MessageCount == 0, "got %v", m)
}

func cancelNotify(c *amqp.Connection) {
	ch, other := channel(c), channel(c)
	q := queue(ch, "")
	cancelled := ch.NotifyCancel(make(chan string, 1))
	_, err := ch.Consume(q, "mine", true, false, false, false, nil)
	good(err, "consume")
	_, err = other.QueueDelete(q, false, false, false)
	good(err, "delete")
	select {
	case tag := <-cancelled:
		expect(tag == "mine", "cancelled %s", tag)
	case <-time.After(10 * time.Second):
		expect(false, "the consumer was not told")
	}
}

func sizes(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	d := consume(ch, q, false)
	frame := c.Config.FrameSize
	for _, size := range []int{0, 1, frame - 9, frame - 8, frame - 7, 10000000, 100000000} {
		body := bytes.Repeat([]byte{'0', '1', '2', '3', '4', '5', '6'}, size/7+1)[:size]
		publish(ch, "", q, amqp.Publishing{Body: body})
		expect(bytes.Equal(next(d).Body, body), "a body of %d bytes changed", size)
	}
}

func headers(c *amqp.Connection) {
	ch := channel(c)
	q := queue(ch, "")
	when := time.Unix(1700000000, 0)
	sent := amqp.Publishing{
		ContentType: "text/plain", ContentEncoding: "utf-8", DeliveryMode: 2, Priority: 4, CorrelationId: "c", ReplyTo: "r",
		Expiration: "100000", MessageId: "m", Timestamp: when, Type: "t", UserId: "guest", AppId: "a", Body: []byte("x"),
		Headers: amqp.Table{
			"bool": true, "byte": byte(200), "int8": int8(-5), "int16": int16(-300), "int32": int32(-70000), "int64": int64(1) << 40,
			"float32": float32(1.5), "float64": 2.25, "string": "s", "bytes": []byte{0, 255}, "time": when,
			"decimal": amqp.Decimal{Scale: 2, Value: 314}, "nil": nil,
			"table": amqp.Table{"in": amqp.Table{"deep": int32(1)}}, "array": []interface{}{int32(1), "two", []interface{}{nil}},
		},
	}
	publish(ch, "", q, sent)
	got := next(consume(ch, q, false))
	expect(reflect.DeepEqual(got.Headers, sent.Headers), "headers are %#v, were %#v", got.Headers, sent.Headers)
	expect(got.ContentType == "text/plain" && got.ContentEncoding == "utf-8" && got.Priority == 4 && got.CorrelationId == "c" &&
		got.ReplyTo == "r" && got.Expiration == "100000" && got.MessageId == "m" && got.Timestamp.Equal(when) &&
		got.Type == "t" && got.UserId == "guest" && got.AppId == "a" && got.DeliveryMode == 2, "properties are %#v", got)
}

func errors(c *amqp.Connection) {
	ch, bad := channel(c), channel(c)
	closed := bad.NotifyClose(make(chan *amqp.Error, 1))
	_, err := bad.QueueDeclarePassive(name("missing"), false, false, false, false, nil)
	expect(err != nil && err.(*amqp.Error).Code == 404, "%v", err)
	e := <-closed
	expect(e.Code == 404, "%v", e)
	q := queue(ch, name("q"))
	other := connect()
	_, err = channel(other).Consume(q, "", true, false, false, false, nil)
	expect(err != nil && err.(*amqp.Error).Code == 405, "%v", err)
	bad = channel(c)
	err = bad.ExchangeDeclare(name("x"), "no-such-type", false, true, false, false, nil)
	expect(err != nil, "an exchange of an unknown type")
	if c.IsClosed() { // RabbitMQ 3 closes the connection
		return
	}
	good(other.Close(), "close")
	publish(ch, "", q, text("still here"))
	_, ok, err := ch.Get(q, true)
	expect(err == nil && ok, "the first channel does not work: %v", err)
}

func manyChannels(c *amqp.Connection) {
	q := queue(channel(c), name("q"))
	for i := 0; i < 500; i++ {
		publish(channel(c), "", q, text("x"))
	}
	d := consume(channel(c), q, false)
	for i := 0; i < 500; i++ {
		next(d)
	}
}

// Each clean close ends without an error: the broker's end of the stream must not come right behind its close-ok.
func cleanCloses(c *amqp.Connection) {
	for i := 0; i < 1000; i++ {
		one := connect()
		told := one.NotifyClose(make(chan *amqp.Error, 1))
		ch, err := one.Channel()
		good(err, "channel")
		_, err = ch.QueueDeclare("", false, false, true, false, nil)
		good(err, "declare")
		good(one.Close(), fmt.Sprintf("close %d", i))
		if err := <-told; err != nil {
			good(err, fmt.Sprintf("close %d told of", i))
		}
	}
}

func main() {
	scenarios := map[string]func(*amqp.Connection){
		"basics": basics, "exchanges": exchanges, "confirms": confirms, "qos": qos, "requeue": requeue, "get": get, "tx": tx,
		"cancel_notify": cancelNotify, "sizes": sizes, "headers": headers, "errors": errors, "channels": manyChannels,
		"clean_closes": cleanCloses,
	}
	if len(os.Args) != 2 || scenarios[os.Args[1]] == nil {
		for n := range scenarios {
			fmt.Println(n)
		}
		os.Exit(2)
	}
	c := connect()
	scenarios[os.Args[1]](c)
	if !c.IsClosed() {
		good(c.Close(), "close")
	}
}
