// Sends numbered events with the official Go logger, each acknowledged before the next.
//
// It is Docker's own. It forgets an event that it could not write or that was not acknowledged, and says so: the
// event is given to it again. With LOGGER_MODE=json it speaks the protocol in JSON, which has whole seconds only.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	if os.Getenv("LOGGER_SHARED_KEY") != "" {
		fmt.Fprintln(os.Stderr, "this logger knows no shared key")
		os.Exit(2)
	}
	if err := send(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: send HOST PORT TAG COUNT")
	}
	tag := arguments[2]
	count, err := strconv.Atoi(arguments[3])
	if err != nil {
		return err
	}
	logger, err := open(arguments[0], arguments[1])
	if err != nil {
		return err
	}
	pause, _ := strconv.Atoi(os.Getenv("LOGGER_PAUSE_MS"))
	for number := 0; number < count; number++ {
		if err := sendOne(logger, tag, number); err != nil {
			return fmt.Errorf("event %d: %w", number, err)
		}
		time.Sleep(time.Duration(pause) * time.Millisecond)
	}
	return logger.Close()
}

func open(host, port string) (*fluent.Fluent, error) {
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	config := fluent.Config{
		FluentHost:         host,
		FluentPort:         number,
		RequestAck:         true,
		SubSecondPrecision: true,
		MarshalAsJSON:      os.Getenv("LOGGER_MODE") == "json",
		WriteTimeout:       5 * time.Second,
		RetryWait:          50,
		MaxRetry:           100,
		MaxRetryWait:       200,
	}
	if authority := os.Getenv("LOGGER_CA"); authority != "" {
		// The logger trusts what the system trusts, which this variable names.
		if err := os.Setenv("SSL_CERT_FILE", authority); err != nil {
			return nil, err
		}
		config.FluentNetwork = "tls"
		config.FluentHost = "localhost"
	}
	return fluent.New(config)
}

func sendOne(logger *fluent.Fluent, tag string, number int) error {
	at := time.Unix(1700000000+int64(number), 123456000+int64(number))
	record := map[string]interface{}{"sequence": number, "logger": "go", "nested": map[string]interface{}{"yes": true}}
	var err error
	for tries := 0; tries < 200; tries++ {
		if err = logger.PostWithTime(tag, at, record); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return err
}
