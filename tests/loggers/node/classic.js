// Sends numbered events with `fluent-logger`, one after the other, each acknowledged before the next.
//
// The logger forgets an event whose acknowledgement does not come, and tells the callback: it is given to it again.
'use strict';

const fs = require('fs');
const { createFluentSender, EventTime } = require('fluent-logger');

const { LOGGER_CA, LOGGER_SHARED_KEY, LOGGER_USERNAME, LOGGER_PASSWORD, LOGGER_MODE, LOGGER_PAUSE_MS } = process.env;
const quiet = { error() {}, warn() {}, info() {} };

function options(host, port) {
  const chosen = {
    host,
    port: Number(port),
    timeout: 30000,
    requireAckResponse: true,
    ackResponseTimeout: 1000,
    reconnectInterval: 50,
    eventMode: LOGGER_MODE || 'Message',
    flushInterval: 1,
    internalLogger: quiet,
  };
  if (LOGGER_CA) {
    chosen.tls = true;
    chosen.tlsOptions = { ca: fs.readFileSync(LOGGER_CA), servername: 'localhost' };
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

async function send(logger, number) {
  const record = { sequence: number, logger: 'node', nested: { yes: true } };
  const at = new EventTime(1700000000 + number, 123456000 + number);
  const once = () => new Promise((resolve) => logger.emit(record, at, resolve));
  while (await once()) {
    await pause(50);
  }
}

async function main([host, port, tag, count]) {
  const logger = createFluentSender(tag, options(host, port));
  for (let number = 0; number < Number(count); number += 1) {
    await send(logger, number);
    await pause(Number(LOGGER_PAUSE_MS || 0));
  }
  process.exit(0);
}

main(process.argv.slice(2));
