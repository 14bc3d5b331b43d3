// Sends numbered events with `fluent-logger`, one after the other, each acknowledged before the next.
//
// The logger forgets an event whose acknowledgement does not come, and tells the callback: it is given to it again.
'use strict';

const { createFluentSender, EventTime } = require('fluent-logger');
const { mode, tls, security, between, pause, record, at } = require('./common');

const quiet = { error() {}, warn() {}, info() {} };

function options(host, port) {
  const chosen = {
    host,
    port: Number(port),
    timeout: 30000,
    requireAckResponse: true,
    // An acknowledgement is lost only where the server is restarted or killed, which is tried without TLS. Anywhere else an
    // event that is given up too early comes twice.
    ackResponseTimeout: tls ? 20000 : 1000,
    reconnectInterval: 50,
    eventMode: mode || 'Message',
    flushInterval: 1,
    internalLogger: quiet,
  };
  return { ...chosen, ...(tls && { tls: true, tlsOptions: tls }), ...(security && { security }) };
}

async function send(logger, number) {
  const once = () => new Promise((resolve) => logger.emit(record(number), at(EventTime, number), resolve));
  while (await once()) {
    await pause(50);
  }
}

async function main([host, port, tag, count]) {
  const logger = createFluentSender(tag, options(host, port));
  for (let number = 0; number < Number(count); number += 1) {
    await send(logger, number);
    await pause(between);
  }
  process.exit(0);
}

main(process.argv.slice(2));
