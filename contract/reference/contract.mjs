import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const documents = new Map();

// A file of the contract, YAML or JSON, by its path from the contract's folder.
export function read(file) {
  if (!documents.has(file)) documents.set(file, parse(readFileSync(join(ROOT, file), 'utf8')));
  return documents.get(file);
}

// A value of the contract together with the file it stands in, from which its references are read.
export function open(file) {
  return { file, value: read(file) };
}

export function member(node, ...names) {
  return resolved({ file: node.file, value: names.reduce((value, name) => value?.[name], node.value) });
}

// Follows `$ref` to what it names; members beside it (JSON Schema 2020-12) win over those of what it names.
export function resolved({ file, value }) {
  if (value === null || typeof value !== 'object' || typeof value.$ref !== 'string') return { file, value };
  const { $ref, ...beside } = value;
  const [path, pointer = ''] = $ref.split('#');
  const target = path ? join(dirname(file), path) : file;
  const steps = pointer.split('/').slice(1);
  const found = steps.reduce((at, step) => at?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], read(target));
  if (found === undefined) throw new Error(`${file}: ${$ref} names nothing`);
  const named = resolved({ file: target, value: found });
  return { file: named.file, value: { ...named.value, ...beside }, name: steps.at(-1) };
}
