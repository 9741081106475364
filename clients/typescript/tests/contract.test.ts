// The contract's vectors, and what is made from it.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { adviceFor } from '../src/close_codes.js';
import { parseExact } from '../src/exact_json.js';
import { readServerMessage } from '../src/server_message.js';
import { contract } from './contract.js';
import { randomFrom } from './world.js';

test('every close code asks for what the contract says', () => {
  const { codes, any_other, without_close_frame } = contract<{
    codes: { code: number; client: string }[];
    any_other: string;
    without_close_frame: string;
  }>('vectors/close_codes.json');
  const named = new Map(codes.map(({ code, client }) => [code, client]));
  for (let code = 1000; code < 5000; code++)
    expect([code, adviceFor(code)]).toEqual([code, named.get(code) ?? any_other]);
  expect(adviceFor(1006)).toBe(without_close_frame);
});

interface Row {
  name: string;
  text: string;
  event: string;
  timestamp: string;
  position: string;
  late: boolean;
  replayed: boolean;
  snapshot: boolean;
  payload: object;
}
const { notifications } = contract<{ notifications: Row[] }>('vectors/notifications.json');

test.each(notifications.map((row) => [row.name, row] as const))('notification: %s', (_, row) => {
  const { text: raw, event, timestamp, position: id, payload, late, replayed, snapshot } = row;
  const message = readServerMessage(raw);
  expect(message).toEqual({
    kind: 'notification',
    id,
    notification: { event, timestamp, id, payload, late, replayed, snapshot, raw },
  });
});

test('the types are those of the schemas', () => {
  const here = new URL('..', import.meta.url);
  const made = execFileSync(process.execPath, [new URL('generate.mjs', here).pathname, '--print'], {
    encoding: 'utf8',
  });
  expect(readFileSync(new URL('src/events.ts', here), 'utf8')).toBe(made);
});

// After JSONTestSuite: one text for each way to be JSON and not to be.
const TEXTS = [
  ...['0', '-0', '0.10', '-1.50e+10', '1E400', '123456789012345678901234567890', '[1,2.0,-3e-7]', '{"a":{"b":[0.30]}}'],
  ...[
    ' 1 ',
    '[ 1 , 2 ]',
    '"1"',
    '"a\\"1"',
    '"\\\\"',
    '["\\\\",1]',
    '{"1":1}',
    '{"a\\\\":1,"b":"2:3"}',
    '"\\u0031"',
    'true',
    'null',
  ],
  ...[
    '01',
    '-',
    '-01',
    '1.',
    '.5',
    '+1',
    '1e',
    '1e+',
    '1.2.3',
    '0x1',
    '1_0',
    '--1',
    '1-',
    'NaN',
    'Infinity',
    '-Infinity',
  ],
  ...[
    '{1:2}',
    '{12:3}',
    '{-1:2}',
    '{1.5:2}',
    '{1 :2}',
    '{1e5:2}',
    '1 2',
    '"1"1',
    '1"1"',
    '[1 2]',
    '[1,]',
    '{"a"1}',
    '{"a":1 2}',
  ],
  ...[
    '"',
    '"\\"',
    '"a\n1"',
    '"a\\\n1"',
    "'1'",
    '',
    ' ',
    '[',
    '{"a":1',
    '1]',
    '\ufeff1',
    '1//',
    '/**/1',
    '[1,2]3',
    '"\\x31"',
  ],
];

function isTaken(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

test.each(TEXTS)('exact JSON takes what JSON is, and nothing else: %j', (text) => {
  expect(isTaken(parseExact, text)).toBe(isTaken(JSON.parse, text));
});

test('exact JSON gives the digits of any number in any text', () => {
  const random = randomFrom(7);
  const below = (count: number) => Math.floor(random() * count);
  const digits = (count: number) => Array.from({ length: 1 + below(count) }, () => below(10)).join('');
  const number = () =>
    (below(3) ? '' : '-') +
    (below(4) ? `${1 + below(9)}${digits(20)}` : '0') +
    (below(2) ? '' : `.${digits(20)}`) +
    (below(3) ? '' : `${'eE'[below(2)]}${['', '+', '-'][below(3)]}${digits(3)}`);
  /** A text, and what it is to give. */
  const value = (depth: number): [string, unknown] => {
    const kind = below(depth > 4 ? 2 : 4);
    const digits = number();
    if (kind === 0) return [digits, digits];
    const word = ['1.0', 'a"2', '\\', '{3:4}', '\u2028-5', ''][below(6)];
    if (kind === 1) return [JSON.stringify(word), word];
    const members = Array.from({ length: below(4) }, () => value(depth + 1));
    if (kind === 2) return [`[${members.map(([text]) => text).join(' , ')}]`, members.map(([, each]) => each)];
    const named = members.map(([text], at) => `"${at}-1.5" :\n${text}`);
    return [`{${named.join(',')}}`, Object.fromEntries(members.map(([, each], at) => [`${at}-1.5`, each]))];
  };
  for (let trial = 0; trial < 2_000; trial++) {
    const [text, expected] = value(0);
    expect(parseExact(text)).toEqual(expected);
  }
});

const WORST = [
  '"'.repeat(1e6),
  '\\"'.repeat(5e5),
  `["${'\\"'.repeat(5e5)}`,
  `"${'\\\\'.repeat(5e5)}"`,
  '1'.repeat(1e6),
  '-'.repeat(1e6),
  `{${'1 '.repeat(1e5)}:`,
];

test.each(WORST.map((text) => [text.slice(0, 5), text] as const))('a server may send its worst: %s', (_, text) => {
  expect(() => readServerMessage(text)).toThrow();
  const alert = `{"type":"notification","event":"system_alert","id":"p1","payload":{"x":${JSON.stringify(text).slice(0, 1e6)}}}`;
  expect(isTaken(readServerMessage, alert)).toBe(isTaken(JSON.parse, alert));
});
