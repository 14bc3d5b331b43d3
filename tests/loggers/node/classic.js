// Sends numbered events with `fluent-logger`, one after the other, each acknowledged before the next.
//
// The logger forgets an event whose acknowledgement does not come, and tells the callback: it is given to it again. As it
// looks for an acknowledgement only once its own write has ended, it can miss one that was there before: the events that it
// gave up are printed, a number a line.
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
  for (let error = await once(); error; error = await once()) {
    if (error.name === 'ResponseTimeoutError') {
      console.log(number);
    }
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
