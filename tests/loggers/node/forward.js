// Sends numbered events with `@fluent-org/logger`, which sends an event again by itself until it is acknowledged.
'use strict';

const { FluentClient, EventTime } = require('@fluent-org/logger');
const { mode, tls, security, between, pause, record, at } = require('./common');

function options(host, port) {
  const reconnect = { delay: 20, minDelay: 20, maxDelay: 100 };
  const chosen = {
    eventMode: mode || 'PackedForward',
    socket: { host, port: Number(port), timeout: -1, reconnect, ...(tls && { tls }) },
    // As with the other logger: only without TLS are acknowledgements lost on purpose.
    ack: { ackTimeout: tls ? 20000 : 1000 },
    eventRetry: { attempts: 1000, delay: 20, minDelay: 20, maxDelay: 100 },
  };
  return { ...chosen, ...(security && { security }) };
}

async function main([host, port, tag, count]) {
  const logger = new FluentClient(tag, options(host, port));
  logger.socketOn('error', () => {});
  for (let number = 0; number < Number(count); number += 1) {
    await logger.emit(record(number), at(EventTime, number));
    await pause(between);
  }
  process.exit(0);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
