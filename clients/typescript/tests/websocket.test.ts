// Node's WebSocket against literal bytes.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeWebSocket } from '../src/websocket.js';

const PROTOCOL = 'carillon.v1';

let server: Server;
let ca: Buffer;
/** What the server does with the next upgrade. */
let answer: (stream: Duplex, accept: string) => void;

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'carillon-websocket-'));
  const [key, pem] = ['key', 'pem'].map((name) => join(directory, name)) as [string, string];
  const options = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ];
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', pem];
  execFileSync('openssl', ['req', ...options, ...names], { stdio: 'pipe' });
  ca = readFileSync(pem);
  server = createServer({ key: readFileSync(key), cert: ca });
  rmSync(directory, { recursive: true });
  server.on('upgrade', (request, stream) => {
    stream.on('error', () => {});
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    answer(stream, createHash('sha1').update(key).digest('base64'));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
}, 30_000);

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const switching = (accept: string, more = `Sec-WebSocket-Protocol: ${PROTOCOL}\r\n`) =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;

function open(trusted: Buffer | undefined = ca) {
  const messages: (string | Uint8Array)[] = [];
  const socket = new NodeWebSocket(`wss://localhost:${(server.address() as AddressInfo).port}/x`, [PROTOCOL, 'y'], {
    ca: trusted,
  });
  socket.onmessage = ({ data }) => messages.push(data);
  const closed = new Promise<{ code: number; reason: string }>((resolve) => (socket.onclose = resolve));
  return { socket, messages, closed };
}

/** Sends these bytes after the upgrade, in pieces of that size; gathers what the client sends until it ends. */
function send(bytes: Buffer, piece = bytes.length || 1): Promise<Buffer> {
  return new Promise((resolve) => {
    answer = (stream, accept) => {
      const heard: Buffer[] = [];
      stream.on('data', (part: Buffer) => heard.push(part));
      stream.on('close', () => resolve(Buffer.concat(heard)));
      stream.on('end', () => stream.end());
      stream.write(switching(accept));
      for (let at = 0; at < bytes.length; at += piece) stream.write(bytes.subarray(at, at + piece));
    };
  });
}

const frame = (first: number, content: string | Buffer) => {
  const body = Buffer.from(content as string);
  const length = body.length;
  const head = Buffer.alloc(length > 65_535 ? 10 : length > 125 ? 4 : 2);
  head[0] = first;
  head[1] = length > 65_535 ? 127 : length > 125 ? 126 : length;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, body]);
};
const close = (code: number, reason = '') =>
  frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));

/** The frames of a client, which masks each. */
function framesOf(bytes: Buffer): { opcode: number; content: Buffer }[] {
  const frames = [];
  while (bytes.length) {
    expect(bytes[1]! & 128).toBe(128);
    const length = bytes[1]! & 127;
    const at = length === 126 ? 4 : 2;
    const size = length === 126 ? bytes.readUInt16BE(2) : length;
    const mask = bytes.subarray(at, at + 4);
    const content = Buffer.from(bytes.subarray(at + 4, at + 4 + size)).map((byte, index) => byte ^ mask[index & 3]!);
    frames.push({ opcode: bytes[0]!, content: Buffer.from(content) });
    bytes = bytes.subarray(at + 4 + size);
  }
  return frames;
}

test.each([1, 3, 1_000_000])(
  'messages of every form arrive, in pieces of %d bytes',
  { timeout: 30_000 },
  async (piece) => {
    const texts = ['', 'a', 'Ünïcode ✓', 'b'.repeat(126), 'c'.repeat(70_000)];
    const sent = Buffer.concat([
      ...texts.map((text) => frame(0x81, text)),
      frame(0x01, 'one, '),
      frame(0x89, 'ping'),
      frame(0x00, 'two, '),
      frame(0x8a, 'a pong of nothing'),
      frame(0x80, 'three'),
      frame(0x82, Buffer.from([0, 255])),
      close(4420, 'too slow'),
    ]);
    const heard = send(sent, piece);
    const { messages, closed } = open();
    expect(await closed).toEqual({ code: 4420, reason: 'too slow' });
    expect(messages).toEqual([...texts, 'one, two, three', Buffer.from([0, 255])]);
    const frames = framesOf(await heard);
    expect(frames.map(({ opcode }) => opcode)).toEqual([0x8a, 0x88]);
    expect(String(frames[0]!.content)).toBe('ping');
    expect(frames[1]!.content.readUInt16BE()).toBe(4420);
  },
);

test('what a client sends is masked, and a close without a code is 1005', async () => {
  const heard = new Promise<Buffer>((resolve) => {
    answer = (stream, accept) => {
      stream.write(switching(accept));
      let bytes = Buffer.alloc(0);
      stream.on('data', (part: Buffer) => {
        bytes = Buffer.concat([bytes, part]);
        if (bytes.length >= 200 + 8) stream.write(frame(0x88, ''));
      });
      stream.on('end', () => stream.end());
      stream.on('close', () => resolve(bytes));
    };
  });
  const { socket, closed } = open();
  socket.onmessage = null;
  const sending = setInterval(() => {
    try {
      socket.send('x'.repeat(200));
      clearInterval(sending);
    } catch {
      // not open yet
    }
  }, 1);
  expect(await closed).toEqual({ code: 1005, reason: '' });
  const [first] = framesOf(await heard);
  expect(first).toEqual({ opcode: 0x81, content: Buffer.from('x'.repeat(200)) });
});

test.each([
  ['a reserved bit', frame(0xc1, 'x'), 1002],
  ['a masked frame', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 120]), 1002],
  ['an unknown opcode', frame(0x83, 'x'), 1002],
  ['an unknown control frame', frame(0x8b, ''), 1002],
  ['a control frame in parts', frame(0x09, 'x'), 1002],
  ['a long control frame', frame(0x89, 'x'.repeat(126)), 1002],
  ['a continuation of nothing', frame(0x80, 'x'), 1002],
  ['a message within another', Buffer.concat([frame(0x01, 'x'), frame(0x81, 'y')]), 1002],
  ['half a close code', frame(0x88, 'x'), 1002],
  ['text that is no UTF-8', frame(0x81, Buffer.from([0xc3, 0x28])), 1007],
  ['a reason that is no UTF-8', frame(0x88, Buffer.from([0x03, 0xe8, 0xff])), 1007],
  ['a frame without end', Buffer.from([0x81, 127, 0, 0, 0, 255, 0, 0, 0, 0]), 1009],
  [
    'a message without end',
    Buffer.concat([frame(0x01, 'x'), ...Array(17).fill(frame(0x00, 'x'.repeat(65_000)))]),
    1009,
  ],
  ['parts without end', Buffer.concat([frame(0x01, 'x'), ...Array(1_100).fill(frame(0x00, ''))]), 1009],
])('%s ends the connection', async (_, bytes, code) => {
  const heard = send(bytes);
  const { messages, closed } = open();
  expect((await closed).code).toBe(1006);
  expect(messages).toEqual([]);
  const frames = framesOf(await heard);
  expect([frames.at(-1)!.opcode, frames.at(-1)!.content.readUInt16BE()]).toEqual([0x88, code]);
});

test.each([
  ['a wrong accept', (_: string) => switching('x'), 'the answer is no WebSocket upgrade'],
  ['no protocol', (accept: string) => switching(accept, ''), 'a protocol that was not asked for'],
  [
    'another protocol',
    (accept: string) => switching(accept, 'Sec-WebSocket-Protocol: z\r\n'),
    'a protocol that was not asked for',
  ],
  [
    'an extension',
    (accept: string) =>
      switching(accept, `Sec-WebSocket-Protocol: ${PROTOCOL}\r\nSec-WebSocket-Extensions: permessage-deflate\r\n`),
    'an extension that was not asked for',
  ],
  [
    'a refusal',
    () => 'HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n',
    'HTTP 503; retry_after_ms=7000',
  ],
  ['a refusal without a time', () => 'HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n', 'HTTP 403'],
])('%s instead of an upgrade is 1006', async (_, response, reason) => {
  answer = (stream, accept) => stream.end(response(accept));
  expect(await open().closed).toEqual({ code: 1006, reason });
});

test('a server of another certificate is refused', async () => {
  const { code, reason } = await open(readFileSync(new URL('../package.json', import.meta.url))).closed;
  expect(code).toBe(1006);
  expect(reason).not.toBe('');
});

test('a connection that breaks is 1006, and one given up before it is open says nothing to its server', async () => {
  answer = (stream, accept) => {
    stream.write(switching(accept) + frame(0x81, 'x'));
    setImmediate(() => stream.destroy());
  };
  expect((await open().closed).code).toBe(1006);
  let upgrades = 0;
  answer = (stream) => {
    upgrades++;
    stream.destroy();
  };
  const { socket, closed } = open();
  socket.close();
  expect((await closed).code).toBe(1006);
  expect(upgrades).toBe(0);
});
