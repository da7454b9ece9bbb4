// The everyday story through amqp091-go; see story.js for the steps.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	deliveries = 10
	patience   = 60 * time.Second
	quiet      = 2 * time.Second
)

var prefix = os.Getenv("AMQP_PREFIX")
var connection *amqp.Connection

// Not deferred confirmations: those of this version miss what comes while they are made.
var confirms = map[*amqp.Channel]chan amqp.Confirmation{}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func channel() *amqp.Channel {
	ch, err := connection.Channel()
	must(err)
	must(ch.Confirm(false))
	confirms[ch] = ch.NotifyPublish(make(chan amqp.Confirmation, 100))
	return ch
}

func declare(ch *amqp.Channel, name string, arguments amqp.Table) {
	_, err := ch.QueueDeclare(name, true, false, false, false, arguments)
	must(err)
}

func publish(ch *amqp.Channel, name, body string, mandatory bool, headers amqp.Table) {
	must(ch.PublishWithContext(context.Background(), "", name, mandatory, false,
		amqp.Publishing{Body: []byte(body), DeliveryMode: amqp.Persistent, Headers: headers}))
	<-confirms[ch]
}

func consume(ch *amqp.Channel, name string) <-chan amqp.Delivery {
	all, err := ch.Consume(name, "", false, false, false, false, nil)
	must(err)
	return all
}

func next(all <-chan amqp.Delivery) amqp.Delivery {
	select {
	case m := <-all:
		return m
	case <-time.After(patience):
		must(fmt.Errorf("no delivery"))
	}
	return amqp.Delivery{}
}

func work() string {
	ch, name := channel(), prefix+".work"
	declare(ch, name, amqp.Table{"x-queue-type": "quorum"})
	for i := 0; i < 10; i++ {
		publish(ch, name, fmt.Sprint(i), false, nil)
	}
	must(ch.Qos(3, 0, false))
	var got []string
	for all := consume(ch, name); len(got) < 10; {
		m := next(all)
		got = append(got, string(m.Body))
		must(m.Ack(false))
	}
	return strings.Join(got, " ")
}

func returned() string {
	ch := channel()
	all := ch.NotifyReturn(make(chan amqp.Return, 1))
	publish(ch, prefix+".nowhere", "lost", true, nil)
	return fmt.Sprint((<-all).ReplyCode)
}

func failure() string {
	bad, good := channel(), channel()
	_, err := bad.QueueDeclarePassive(prefix+".missing", true, false, false, false, nil)
	declare(good, prefix+".there", nil)
	if closed, is := err.(*amqp.Error); is {
		return fmt.Sprint(closed.Code)
	}
	return fmt.Sprint(err)
}

func poison(how string) string {
	ch, name := channel(), prefix+"."+how
	declare(ch, name+".dead", nil)
	declare(ch, name, amqp.Table{"x-queue-type": "quorum", "x-delivery-limit": 3, "x-dead-letter-exchange": "",
		"x-dead-letter-routing-key": name + ".dead"})
	dead, all := consume(ch, name+".dead"), consume(ch, name)
	publish(ch, name, "poison", false, nil)
	for count := 0; ; {
		select {
		case m := <-dead:
			must(m.Ack(false))
			first := m.Headers["x-death"].([]interface{})[0].(amqp.Table)
			return fmt.Sprintf("dead after %d by %v, %v", count, first["reason"], m.Headers["x-last-death-reason"])
		case m := <-all:
			if count++; count == deliveries {
				must(m.Ack(false))
				return "alive"
			}
			if how == "nack" {
				must(m.Nack(false, true))
			} else {
				must(m.Reject(true))
			}
		case <-time.After(patience):
			must(fmt.Errorf("no end"))
		}
	}
}

func retry() string {
	ch, name := channel(), prefix+".retry"
	declare(ch, name, nil)
	declare(ch, name+".wait", amqp.Table{"x-message-ttl": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": name})
	publish(ch, name+".wait", "again", false, nil)
	var counts []string
	for all := consume(ch, name); len(counts) < 3; {
		m := next(all)
		counts = append(counts, fmt.Sprint(m.Headers["x-death"].([]interface{})[0].(amqp.Table)["count"]))
		if len(counts) < 3 {
			publish(ch, name+".wait", string(m.Body), false, m.Headers)
		}
		must(m.Ack(false))
	}
	return strings.Join(counts, " ")
}

func global() string {
	ch, name := channel(), prefix+".global"
	declare(ch, name, nil)
	for i := 0; i < 4; i++ {
		publish(ch, name, fmt.Sprint(i), false, nil)
	}
	must(ch.Qos(1, 0, true))
	one, two := consume(ch, name), consume(ch, name)
	held := 0
	for limit := patience; held < 2; limit = quiet {
		select {
		case <-one:
			held++
		case <-two:
			held++
		case <-time.After(limit):
			return fmt.Sprint(held)
		}
	}
	return fmt.Sprint(held)
}

func main() {
	var err error
	connection, err = amqp.Dial(fmt.Sprintf("amqp://guest:guest@%s:%s/", os.Getenv("AMQP_HOST"), os.Getenv("AMQP_PORT")))
	must(err)
	steps := map[string]func() string{"work": work, "returned": returned, "error": failure, "retry": retry, "global": global,
		"nack": func() string { return poison("nack") }, "reject": func() string { return poison("reject") }}
	for _, name := range os.Args[1:] {
		fmt.Printf("%s: %s\n", name, steps[name]())
	}
	must(connection.Close())
}
