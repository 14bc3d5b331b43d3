module forebay/tests/loggers/go

go 1.19

// The newest that Debian 12's own Go builds.
require github.com/fluent/fluent-logger-golang v1.9.0

require (
	github.com/philhofer/fwd v1.1.1 // indirect
	github.com/tinylib/msgp v1.1.6 // indirect
)
