// A WebSocket for Node (RFC 6455), over TLS only: its own global one trusts no certificate of the caller's, and before
// version 22 there is none.

import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import type { WebSocketLike } from './types.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** More than any message of the server (protocol 5). */
const MESSAGE_BYTES_MAX = 1024 * 1024;
const FRAGMENTS_MAX = 1024;
const OPENING_TIMEOUT = 30_000;
/** For the peer's close frame. */
const CLOSING_TIMEOUT = 2_000;
const ABNORMAL = 1006;
const NO_CODE = 1005;

const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** What ends a connection: the code for the peer, RFC 6455 7.4.1. */
class ProtocolError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

export interface WebSocketOptions {
  /** PEM certificates to trust instead of the built-in ones. */
  ca?: string | Uint8Array;
}

export class NodeWebSocket implements WebSocketLike {
  onmessage: ((event: { data: string | Uint8Array }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: ((event: { error: Error }) => void) | null = null;
  #stream?: Duplex;
  #abandon: () => void;
  #input: Buffer = Buffer.alloc(0);
  #fragments: Buffer[] = [];
  #fragmentsOpcode = 0;
  #isClosing = false;
  #isClosed = false;
  #end = { code: ABNORMAL, reason: '' };
  #timer: NodeJS.Timeout;

  /** `protocols` must have one that the server picks. */
  constructor(url: string, protocols: string[], { ca }: WebSocketOptions = {}) {
    const key = randomBytes(16).toString('base64');
    const target = new URL(url);
    target.protocol = 'https:';
    const upgrade = request(target, {
      ...(ca && { ca: Buffer.from(ca) }),
      agent: false,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': key,
        'Sec-WebSocket-Protocol': protocols.join(', '),
      },
    });
    this.#abandon = () => upgrade.destroy();
    this.#timer = setTimeout(() => upgrade.destroy(new Error('the upgrade was not answered')), OPENING_TIMEOUT);
    upgrade.on('error', (error) => this.#finish(error));
    upgrade.on('response', (response) => this.#refused(response));
    upgrade.on('upgrade', (response, stream, head) => {
      const fault = faultOf(response, key, protocols);
      if (fault || this.#isClosed) {
        stream.destroy();
        return this.#finish(new Error(fault));
      }
      this.#open(stream, head);
    });
    upgrade.end();
  }

  send(text: string): void {
    if (!this.#isClosing) this.#write(Opcode.text, Buffer.from(text));
  }

  close(code = 1000, reason = ''): void {
    if (this.#stream) return this.#sayClose(code, reason);
    this.#finish();
    this.#abandon();
  }

  #open(stream: Duplex, head: Buffer): void {
    clearTimeout(this.#timer);
    this.#stream = stream;
    stream.on('error', (error) => this.#finish(error));
    stream.on('close', () => {
      clearTimeout(this.#timer);
      this.#finish();
    });
    stream.on('end', () => stream.end());
    stream.on('data', (bytes: Buffer) => this.#take(bytes));
    this.#take(head);
  }

  // What a browser is not told. The time to wait is in the reason's form of protocol 3.4.
  #refused(response: IncomingMessage): void {
    const seconds = Number(response.headers['retry-after']);
    this.#end.reason = `HTTP ${response.statusCode}` + (seconds > 0 ? `; retry_after_ms=${seconds * 1000}` : '');
    this.#finish();
    response.destroy();
  }

  #take(bytes: Buffer): void {
    this.#input = this.#input.length ? Buffer.concat([this.#input, bytes]) : bytes;
    try {
      while (!this.#isClosed && this.#takeFrame()) continue;
    } catch (error) {
      const { code, message } = error as ProtocolError;
      this.#end = { code: ABNORMAL, reason: message };
      this.#sayClose(code ?? 1002, message);
      this.#stream!.destroy();
      this.#finish(error as Error);
    }
  }

  // RFC 6455 5.2. False: there is not a whole one.
  #takeFrame(): boolean {
    const input = this.#input;
    if (input.length < 2) return false;
    const first = input[0]!;
    const opcode = first & 15;
    const isFinal = (first & 128) !== 0;
    if ((first & 112) !== 0) throw new ProtocolError(1002, 'a reserved bit is set');
    if ((input[1]! & 128) !== 0) throw new ProtocolError(1002, 'a server does not mask');
    let size = input[1]! & 127;
    let at = 2;
    if (opcode >= 8 && (size > 125 || !isFinal)) throw new ProtocolError(1002, 'a control frame of this form');
    if (size > 125) {
      at = size === 126 ? 4 : 10;
      if (input.length < at) return false;
      size = at === 4 ? input.readUInt16BE(2) : Number(input.readBigUInt64BE(2));
    }
    if (size > MESSAGE_BYTES_MAX) throw new ProtocolError(1009, 'too large');
    if (input.length < at + size) return false;
    this.#input = input.subarray(at + size);
    this.#takeContent(opcode, isFinal, input.subarray(at, at + size));
    return true;
  }

  #takeContent(opcode: number, isFinal: boolean, content: Buffer): void {
    switch (opcode) {
      case Opcode.ping:
        if (!this.#isClosing) this.#write(Opcode.pong, content);
        return;
      case Opcode.pong:
        return;
      case Opcode.close:
        return this.#takeClose(content);
      case Opcode.text:
      case Opcode.binary:
        if (this.#fragments.length) throw new ProtocolError(1002, 'a message within another');
        this.#fragmentsOpcode = opcode;
        break;
      case Opcode.continuation:
        if (!this.#fragments.length) throw new ProtocolError(1002, 'a continuation of nothing');
        break;
      default:
        throw new ProtocolError(1002, 'an unknown opcode');
    }
    this.#fragments.push(content);
    const size = this.#fragments.reduce((sum, each) => sum + each.length, 0);
    if (size > MESSAGE_BYTES_MAX || this.#fragments.length > FRAGMENTS_MAX) throw new ProtocolError(1009, 'too large');
    if (isFinal) this.#deliver(Buffer.concat(this.#fragments.splice(0)));
  }

  #deliver(message: Buffer): void {
    if (this.#isClosing) return;
    this.onmessage?.({ data: this.#fragmentsOpcode === Opcode.text ? textOf(message) : message });
  }

  #takeClose(content: Buffer): void {
    if (content.length === 1) throw new ProtocolError(1002, 'half a close code');
    const code = content.length ? content.readUInt16BE(0) : NO_CODE;
    this.#end = { code, reason: textOf(content.subarray(2)) };
    this.#sayClose(content.length ? code : undefined, '');
    this.#stream!.end();
    this.#finish();
  }

  #sayClose(code: number | undefined, reason: string): void {
    if (this.#isClosing) return;
    const head = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) head.writeUInt16BE(code);
    this.#write(Opcode.close, Buffer.concat([head, Buffer.from(reason).subarray(0, 123)]));
    this.#isClosing = true;
    const stream = this.#stream!;
    this.#timer = setTimeout(() => stream.destroy(), CLOSING_TIMEOUT);
  }

  // RFC 6455 5.3: a client masks, with chance.
  #write(opcode: number, content: Buffer): void {
    const { length } = content;
    const head = Buffer.alloc(length > 65_535 ? 10 : length > 125 ? 4 : 2);
    head[0] = 128 | opcode;
    head[1] = 128 | (head.length === 2 ? length : head.length === 4 ? 126 : 127);
    if (head.length === 4) head.writeUInt16BE(length, 2);
    if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
    const mask = randomBytes(4);
    const masked = content.map((byte, index) => byte ^ mask[index & 3]!);
    this.#stream!.write(Buffer.concat([head, mask, masked]));
  }

  // Nothing more comes of it. Says so once, never to a caller who is still in the constructor or in close().
  #finish(error?: Error): void {
    if (!this.#stream) clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (error && !this.#end.reason) this.#end.reason = error.message;
    queueMicrotask(() => {
      if (error) this.onerror?.({ error });
      this.onclose?.(this.#end);
    });
  }
}

const textOf = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError(1007, 'no UTF-8');
  }
};

// RFC 6455 4.1; undefined: none.
function faultOf(response: IncomingMessage, key: string, protocols: string[]): string | undefined {
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const { upgrade, 'sec-websocket-accept': accepted, 'sec-websocket-protocol': protocol } = response.headers;
  if (upgrade?.toLowerCase() !== 'websocket' || accepted !== accept) return 'the answer is no WebSocket upgrade';
  if (response.headers['sec-websocket-extensions'] !== undefined) return 'an extension that was not asked for';
  if (!protocols.includes(protocol ?? '')) return 'a protocol that was not asked for';
  return undefined;
}
