// Sends numbered events with the official Go logger, each acknowledged before the next.
//
// Usage: send HOST PORT TAG COUNT. One event a number from 0, at one second after another with the number in the
// nanoseconds, so that a reader can tell whether a time arrived whole. It exits 1 at the first event that is not acknowledged.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	if err := send(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: send HOST PORT TAG COUNT")
	}
	host, tag := arguments[0], arguments[2]
	port, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(arguments[3])
	if err != nil {
		return err
	}
	logger, err := fluent.New(fluent.Config{
		FluentHost:         host,
		FluentPort:         port,
		RequestAck:         true,
		SubSecondPrecision: true,
		WriteTimeout:       30 * time.Second,
	})
	if err != nil {
		return err
	}
	for number := 0; number < count; number++ {
		at := time.Unix(1700000000+int64(number), 123456000+int64(number))
		record := map[string]interface{}{"sequence": number, "logger": "go", "nested": map[string]interface{}{"yes": true}}
		if err := logger.PostWithTime(tag, at, record); err != nil {
			return fmt.Errorf("event %d: %w", number, err)
		}
	}
	return logger.Close()
}
