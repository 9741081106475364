#!/usr/bin/env node
// Writes the types of the three payloads, src/events.ts, from the contract's schemas: ./generate.mjs [--print]

import { readFileSync, writeFileSync } from 'node:fs';

const SCHEMAS = new URL('../../contract/schemas/', import.meta.url);
const EVENTS = ['new_trade_signal', 'order_update', 'system_alert'];

const HEADER = `// Made from contract/schemas by generate.mjs.

/** The digits of a number as its producer sent them: \`0.10\` stays \`0.10\`. */
export type Decimal = string;
`;

const read = (file) => JSON.parse(readFileSync(new URL(file, SCHEMAS), 'utf8'));

// What a reference refers to, with the members beside it on top.
function resolved({ $ref, ...members }) {
  if ($ref === undefined) return members;
  const [file, pointer] = $ref.split('#');
  const target = pointer
    .slice(1)
    .split('/')
    .reduce((at, name) => at[name], read(file));
  return { ...resolved(target), ...members };
}

function typeOf(schema) {
  const { type, format, enum: words, items, minItems } = resolved(schema);
  if (words) return words.map((word) => `'${word}'`).join(' | ');
  if (format === 'decimal') return 'Decimal';
  if (type === 'string') return 'string';
  if (type === 'array') return minItems === 1 ? `[${typeOf(items)}, ...${typeOf(items)}[]]` : `${typeOf(items)}[]`;
  throw new Error(`no type for ${JSON.stringify(schema)}`);
}

function member(name, schema, isRequired) {
  const { description } = schema;
  return [...(description ? [`  /** ${description} */`] : []), `  ${name}${isRequired ? '' : '?'}: ${typeOf(schema)};`];
}

function interfaceOf(file) {
  const { title, description, properties, required } = read(file);
  const members = Object.entries(properties).flatMap(([name, schema]) => member(name, schema, required.includes(name)));
  return ['', `/** ${description} */`, `export interface ${title} {`, ...members, '}', ''].join('\n');
}

const text = HEADER + EVENTS.map((event) => interfaceOf(`${event}.schema.json`)).join('');
if (process.argv[2] === '--print') process.stdout.write(text);
else writeFileSync(new URL('src/events.ts', import.meta.url), text);
