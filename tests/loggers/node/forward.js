// Sends numbered events with `@fluent-org/logger`, which sends an event again by itself until it is acknowledged.
'use strict';

const fs = require('fs');
const { FluentClient, EventTime } = require('@fluent-org/logger');

const { LOGGER_CA, LOGGER_SHARED_KEY, LOGGER_USERNAME, LOGGER_PASSWORD, LOGGER_MODE, LOGGER_PAUSE_MS } = process.env;

function options(host, port) {
  const chosen = {
    eventMode: LOGGER_MODE || 'PackedForward',
    socket: { host, port: Number(port), timeout: -1, reconnect: { delay: 20, minDelay: 20, maxDelay: 100 } },
    ack: { ackTimeout: 1000 },
    eventRetry: { attempts: 1000, delay: 20, minDelay: 20, maxDelay: 100 },
  };
  if (LOGGER_CA) {
    chosen.socket.tls = { ca: fs.readFileSync(LOGGER_CA), servername: 'localhost' };
  }
  if (LOGGER_SHARED_KEY) {
    chosen.security = {
      clientHostname: 'node.example',
      sharedKey: LOGGER_SHARED_KEY,
      username: LOGGER_USERNAME,
      password: LOGGER_PASSWORD,
    };
  }
  return chosen;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function main([host, port, tag, count]) {
  const logger = new FluentClient(tag, options(host, port));
  logger.socketOn('error', () => {});
  for (let number = 0; number < Number(count); number += 1) {
    const record = { sequence: number, logger: 'node', nested: { yes: true } };
    await logger.emit(record, new EventTime(1700000000 + number, 123456000 + number));
    await pause(Number(LOGGER_PAUSE_MS || 0));
  }
  process.exit(0);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
