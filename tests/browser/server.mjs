// A running server with a directory, keys and ports of its own, for the tests of this folder.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash, createHmac, createPublicKey, randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HOST = 'localhost';
const BLACKBOX = fileURLToPath(new URL('../blackbox', import.meta.url));
// What the server inherits: its own variables are not for the tests' settings.
const otherEnvironment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CARILLON_')));

// Below the ports that the kernel gives to outgoing connections, so that none takes it while the server is down.
async function freePort(...taken) {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 17_000);
    if (taken.includes(port)) continue;
    const probe = net.createServer();
    const isFree = await new Promise((resolve) => {
      probe.on('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

// Asks every 20 ms until `condition` gives something true.
export async function until(condition, what, timeoutMs = 10_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < deadline, `${what} did not come true within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// One HTTP request, read to its end.
export function request(client, options, body) {
  return new Promise((resolve, reject) => {
    const sent = client.request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

// One key pair for all servers of a process: a browser is told when it starts which certificate it may take.
const keys = (() => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'carillon-keys-'));
  const [key, pem] = ['server.key', 'server.pem'].map((name) => path.join(directory, name));
  try {
    const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', ['req', ...options, ...names, '-keyout', key, '-out', pem], { stdio: 'pipe' });
    return { key: readFileSync(key), certificate: readFileSync(pem) };
  } finally {
    rmSync(directory, { recursive: true });
  }
})();

// What --ignore-certificate-errors-spki-list takes, for every server here.
export const spki = (() => {
  const key = createPublicKey(new X509Certificate(keys.certificate).publicKey.export({ type: 'spki', format: 'pem' }));
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('base64');
})();

export class Server {
  certificate = keys.certificate;

  // `config` is more lines of TOML, by table.
  static async start(config = {}) {
    const server = new Server();
    server.directory = mkdtempSync(path.join(os.tmpdir(), 'carillon-browser-'));
    server.port = await freePort();
    server.adminPort = await freePort(server.port);
    server.#makeKeys();
    server.#writeConfig(config);
    await server.begin();
    return server;
  }

  // Runs again what was killed, on the same ports and log.
  async begin() {
    this.#spawn();
    await until(() => this.#isReady(), 'readiness of the server');
  }

  // As a power cut does.
  async kill() {
    this.process.kill('SIGKILL');
    await this.ended;
  }

  // As an administrator does, who begins it again soon. Its exit code.
  drain() {
    this.process.kill('SIGTERM');
    return this.ended;
  }

  // How a session begins that gets nothing of what was published so far.
  get afterNow() {
    return { resume: this.lastPosition, snapshot: false };
  }

  // Everything that was published has been pushed: a session that begins now has it behind it. The last of it must be
  // there to be pushed. What is accepted and not pushed yet would be live for a session.
  async pushed() {
    const { default: WebSocket } = await import('ws'); // others who start a server need not have it
    await until(async () => {
      const headers = { Authorization: `Bearer ${this.token('witness')}` };
      const socket = new WebSocket(`${this.url}?snapshot=false`, { ca: this.certificate, headers });
      const position = await new Promise((resolve, reject) => {
        socket.on('error', reject);
        socket.on('message', (data) => {
          const { event, payload } = JSON.parse(data);
          if (event === 'live') resolve(payload.position);
        });
      });
      socket.terminate();
      return position === this.lastPosition;
    }, 'the pushing of everything that was published');
  }

  get url() {
    return `wss://${HOST}:${this.port}/v1/stream`;
  }

  #file(name) {
    return path.join(this.directory, name);
  }

  #makeKeys() {
    this.secret = randomBytes(32);
    this.secret[31] = 1; // a line feed at the end would not count
    writeFileSync(this.#file('hmac.key'), this.secret, { mode: 0o600 });
    writeFileSync(this.#file('server.key'), keys.key, { mode: 0o600 });
    writeFileSync(this.#file('server.pem'), keys.certificate);
  }

  #writeConfig(config) {
    const tables = {
      server: [
        `listen = "127.0.0.1:${this.port}"`,
        `admin_listen = "127.0.0.1:${this.adminPort}"`,
        'drain_window = "500ms"',
        'shards = 1', // for pushed()
      ],
      auth: ['algorithms = ["HS256"]', 'hmac_secret_file = "hmac.key"'],
      telemetry: ['log_format = "json"'],
    };
    for (const [table, lines] of Object.entries(config)) tables[table] = [...(tables[table] ?? []), ...lines];
    const text = Object.entries(tables).map(([table, lines]) => `[${table}]\n${lines.join('\n')}\n`);
    writeFileSync(this.#file('carillon.toml'), text.join('\n'));
  }

  #spawn() {
    const log = openSync(this.#file('server.log'), 'a');
    this.process = spawn(process.env.CARILLON_BINARY, ['serve', '--config', this.#file('carillon.toml')], {
      cwd: this.directory,
      env: otherEnvironment,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.ended = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve(code ?? signal)));
  }

  async #isReady() {
    assert.ok(this.process.exitCode === null && this.process.signalCode === null, `the server ended: ${this.log()}`);
    try {
      return (await request(http, { port: this.adminPort, host: '127.0.0.1', path: '/readyz' })).status === 200;
    } catch {
      return false;
    }
  }

  get consoleUrl() {
    return `https://${HOST}:${this.port}/console/`;
  }

  // Puts these records into its log as a careless tool does, while it is down.
  async appendForeign(...records) {
    await this.kill();
    const program = `import sys, uuid
from harness import journal
journal.append_foreign(sys.argv[1], *[(uuid.uuid4().bytes, record.encode()) for record in sys.argv[2:]])`;
    execFileSync('python3', ['-c', program, this.#file('journal.db'), ...records], { cwd: BLACKBOX, stdio: 'pipe' });
    await this.begin();
  }

  // The sum of that metric's values, of those lines that have all of these labels; 0 where there are none.
  async metric(name, labels = {}) {
    const { text } = await request(http, { port: this.adminPort, host: '127.0.0.1', path: '/metrics' });
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return text
      .split('\n')
      .filter((line) => /^\w+/.exec(line)?.[0] === name && wanted.every((each) => line.includes(each)))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  log() {
    return readFileSync(this.#file('server.log'), 'utf8');
  }

  // The log holds no token; then the server and its directory go.
  async stop() {
    const code = await this.drain();
    const log = this.log();
    rmSync(this.directory, { recursive: true });
    assert.equal(code, 0, log);
    assert.ok(!log.includes('eyJ'), 'a token is in the log');
  }

  token(sub, claims = {}) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + 600;
    const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub, exp, ...claims })}`;
    return `${signed}.${createHmac('sha256', this.secret).update(signed).digest('base64url')}`;
  }

  // One REST call with that token.
  call(method, path, token, body) {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
    const options = { host: HOST, port: this.port, path, method, ca: this.certificate, agent: false, headers };
    return request(https, options, body);
  }

  // Events, or the text of some where digits matter.
  async publish(...events) {
    const texts = events.map((event) => (typeof event === 'string' ? event : JSON.stringify(event)));
    const answer = await this.call('POST', '/v1/events', this.token('publisher', { scope: 'publish' }), `[${texts}]`);
    assert.equal(answer.status, 202, answer.text);
    const accepted = JSON.parse(answer.text);
    this.lastPosition = accepted.position;
    return accepted;
  }
}

// The query that asks for that beginning (protocol 1.2).
export function beginningQuery({ resume, snapshot = true }) {
  const asked = new URLSearchParams(resume === undefined ? {} : { resume });
  if (!snapshot) asked.set('snapshot', 'false');
  return `?${asked}`;
}

// One valid envelope of each kind, the order being that user's.
export function oneOfEach(user) {
  return [
    {
      id: randomUUID(),
      event: 'new_trade_signal',
      payload: {
        signal_id: randomUUID(),
        instrument_id: 'BTC/USDT',
        direction: 'BUY',
        entry_price: 64000.5,
        stop_loss: 63000,
        take_profit: [65000],
        source_agent_id: 'AnalystAgent-001',
      },
    },
    {
      id: randomUUID(),
      event: 'order_update',
      user_id: user,
      payload: {
        order_id: randomUUID(),
        instrument_id: 'BTC/USDT',
        status: 'SUBMITTED',
        side: 'SELL',
        type: 'LIMIT',
        quantity_total: 1.5,
        quantity_filled: 0,
      },
    },
    { id: randomUUID(), event: 'system_alert', payload: { alert_id: randomUUID(), level: 'CRITICAL', message: 'Ünïcode ✓' } },
  ];
}
