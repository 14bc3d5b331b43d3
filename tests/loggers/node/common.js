// What both Node programs share: what the environment asks for, and the events.
'use strict';

const fs = require('fs');

const { LOGGER_CA, LOGGER_SHARED_KEY, LOGGER_USERNAME, LOGGER_PASSWORD, LOGGER_MODE, LOGGER_PAUSE_MS } = process.env;

module.exports = {
  mode: LOGGER_MODE,
  tls: LOGGER_CA && { ca: fs.readFileSync(LOGGER_CA), servername: 'localhost' },
  security: LOGGER_SHARED_KEY && {
    clientHostname: 'node.example',
    sharedKey: LOGGER_SHARED_KEY,
    username: LOGGER_USERNAME,
    password: LOGGER_PASSWORD,
  },
  between: Number(LOGGER_PAUSE_MS || 0),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  record: (number) => ({ sequence: number, logger: 'node', nested: { yes: true } }),
  at: (EventTime, number) => new EventTime(1700000000 + number, 123456000 + number),
};
