import net from 'node:net';

const PATIENCE_MS = 10_000;

/** The server greets every connection with INFO; it does so only once its streams are recovered. @param {string} host @param {number} port @returns {Promise<boolean>} */
export function answersInfo(host, port) {
  return talk(host, port, 1_000, (received, _send, done) => done(received.startsWith('INFO')));
}

/**
 * Whether JetStream answers. nats-server 2.9 whose disk got full keeps its connections open, says nothing, ignores SIGTERM and
 * stays so when there is room again; only a new process helps.
 * @param {string} host @param {number} port @param {{ user: string, password: string }} login @param {number} [patienceMs] @returns {Promise<boolean>}
 */
export function answersJetStream(host, port, { user, password }, patienceMs = PATIENCE_MS) {
  let asked = false;
  return talk(host, port, patienceMs, (received, send, done) => {
    if (!asked && received.startsWith('INFO')) {
      asked = true;
      const inbox = `_INBOX.probe.${process.pid}`;
      const options = JSON.stringify({ user, pass: password, verbose: false, pedantic: false, name: 'probe' });
      send(`CONNECT ${options}\r\nSUB ${inbox} 1\r\nPUB $JS.API.INFO ${inbox} 0\r\n\r\n`);
    }
    if (/^MSG /m.test(received)) done(true);
    else if (/^-ERR/m.test(received)) done(false);
  });
}

/**
 * @param {string} host @param {number} port @param {number} patienceMs
 * @param {(received: string, send: (text: string) => void, done: (value: boolean) => void) => void} onData called with all that came so far
 * @returns {Promise<boolean>}
 */
function talk(host, port, patienceMs, onData) {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    const done = (/** @type {boolean} */ value) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(value);
    };
    const timer = setTimeout(() => done(false), patienceMs);
    let received = '';
    socket.once('error', () => done(false));
    socket.on('data', (chunk) => {
      received += chunk.toString();
      onData(received, (text) => socket.write(text), done);
    });
  });
}
