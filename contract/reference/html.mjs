import { member, open, resolved } from './contract.mjs';

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export function escape(text) {
  return String(text).replace(/[&<>"]/g, (character) => ENTITIES[character]);
}

export function code(text) {
  return `<code>${escape(text)}</code>`;
}

export function example(text) {
  return `<pre><code>${escape(text)}</code></pre>`;
}

// Text of a description, in which `words` are code.
export function prose(text) {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}

export function paragraph(text) {
  return text ? `<p>${prose(text)}</p>` : '';
}

// `kind` is a class of the stylesheet, `head` a list of texts, `rows` are lists of cells that are HTML already.
export function table(kind, head, rows) {
  const row_of = (cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  const titles = head.map((title) => `<th scope="col">${escape(title)}</th>`);
  return `<div class="table"><table class="${kind}">
<thead><tr>${titles.join('')}</tr></thead>
<tbody>
${rows.map(row_of).join('\n')}
</tbody>
</table></div>`;
}

const PAGES = [
  ['websocket.html', 'WebSocket'],
  ['rest.html', 'REST'],
  ['events.html', 'Events'],
];

export function page(file, title, body) {
  const links = PAGES.map(
    ([target, name]) => `<a href="${target}"${target === file ? ' aria-current="page"' : ''}>${name}</a>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<link rel="icon" type="image/svg+xml" href="../favicon.svg">
<link rel="stylesheet" href="reference.css">
</head>
<body>
<header><nav aria-label="Reference">${links.join(' ')}</nav></header>
<main>
<h1>${escape(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

function bounds(schema) {
  const { minimum, exclusiveMinimum, maximum, minLength = 0, maxLength, minItems = 0, maxItems } = schema;
  const is_count = schema.type === 'integer' && minimum === 0;
  return [
    minimum !== undefined && !is_count && `at least ${minimum}`,
    exclusiveMinimum !== undefined && `more than ${exclusiveMinimum}`,
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && `at most ${maximum}`,
    maxLength !== undefined && `${minLength} to ${maxLength} long`,
    maxItems !== undefined && `${minItems} to ${maxItems} of them`,
    maxItems === undefined && minItems > 0 && `${minItems} or more of them`,
  ].filter(Boolean);
}

// What may stand there, in a few words of HTML.
function what(node) {
  const { const: constant, enum: words, type, format, items, additionalProperties: others } = node.value;
  if (constant !== undefined) return code(JSON.stringify(constant));
  if (words) return words.map((word) => code(JSON.stringify(word))).join(' ');
  const name = format === 'decimal' ? 'decimal number' : [type ?? 'anything'].flat().join(' or ');
  const of = items ? ` of ${what(member(node, 'items'))}` : '';
  const each = others ? [`each member ${what(member(node, 'additionalProperties'))}`] : [];
  return [escape(name) + of, ...bounds(node.value), ...each].join(', ');
}

// The members of an object, and of what is inside it: path, whether it is required, what it may be, and a description.
// `shown` has the named parts that are in the table already, each with the path where; they are told once.
function members(node, path = '', shown = new Map()) {
  const { oneOf, items, properties = {}, required = [] } = node.value;
  if (oneOf) return either(oneOf.map((each) => members(resolved({ ...node, value: each }), path, shown)));
  if (items) return members(member(node, 'items'), path.replace(/\.$/, '[].'), shown);
  return Object.keys(properties)
    .filter((name) => properties[name] !== false)
    .flatMap((name) => {
      const inner = member(node, 'properties', name);
      const part = inner.value.properties && inner.name && `${inner.file}#${inner.name}`;
      const before = shown.get(part);
      const own = before ? `as ${code(before)}` : inner.value.oneOf ? 'object' : what(inner);
      const row = { path: path + name, required: required.includes(name), what: own, text: inner.value.description };
      if (part && !before) shown.set(part, row.path);
      return before ? [row] : [row, ...members(inner, `${row.path}.`, shown)];
    });
}

// One list of the members of several variants: required is what all require.
function either(variants) {
  const paths = [...new Set(variants.flat().map((row) => row.path))];
  return paths.map((path) => {
    const rows = variants.map((variant) => variant.find((row) => row.path === path));
    const there = rows.filter(Boolean);
    return {
      path,
      required: rows.every((row) => row?.required),
      what: [...new Set(there.map((row) => row.what))].join(' or '),
      text: [...new Set(there.map((row) => row.text).filter(Boolean))].join(' '),
    };
  });
}

// A table of an object's members; nothing where it has none.
export function members_table(node) {
  const rows = members(node).map((row) => [code(row.path), row.required ? 'yes' : '', row.what, prose(row.text ?? '')]);
  return rows.length ? table('members', ['member', 'required', 'what', 'description'], rows) : '';
}

export function schema_of(name) {
  return resolved(open(`schemas/${name}.schema.json`));
}
