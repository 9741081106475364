// Writes the reference pages into a folder: node contract/reference/build.mjs --out DIR
// One page each for the WebSocket, for REST and for the events, from asyncapi.yaml, openapi.yaml, the schemas and the
// vectors. Plain HTML and one stylesheet; no script, no inline style, nothing from elsewhere.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { member, open, read } from './contract.mjs';
import { code, escape, example, members_table, page, paragraph, schema_of, table } from './html.mjs';

const EVENTS = ['new_trade_signal', 'order_update', 'system_alert'];

// Notifications as they are on the wire, digits and all, by event.
function notification_example(event) {
  return read('vectors/notifications.json').notifications.find((each) => each.event === event).text;
}

function message_section(message, name) {
  const schema = member(message, 'payload', 'schema');
  const shown = EVENTS.includes(name) ? notification_example(name) : JSON.stringify(message.value.examples[0].payload);
  const { type, event } = schema.value.properties;
  return `<section id="${name}">
<h3>${code(`${type.const}/${event.const}`)} ${escape(message.value.title)}</h3>
${paragraph(schema.value.description)}
${example(shown)}
${members_table(member(schema, 'properties', 'payload'))}
</section>`;
}

function operation_section(api, operation) {
  const messages = operation.messages.map(({ $ref }) => {
    const name = $ref.split('/').at(-1);
    return message_section(member(api, 'components', 'messages', name), name);
  });
  const from = operation.action === 'send' ? 'server to client' : 'client to server';
  return `<section>
<h2>${escape(operation.title)} <small>${from}</small></h2>
${paragraph(operation.description)}
${messages.join('\n')}
</section>`;
}

function close_codes() {
  const { codes, words, any_other } = read('vectors/close_codes.json');
  const rows = codes.map((each) => [code(each.code), escape(each.meaning), escape(words[each.client])]);
  rows.push(['any other', '', escape(words[any_other])]);
  return `<section id="closing">
<h2>Closing</h2>
${table('triples', ['code', 'meaning', 'what the client does'], rows)}
</section>`;
}

function websocket_page() {
  const api = open('asyncapi.yaml');
  const stream = api.value.channels.stream;
  const query = Object.entries(stream.bindings.ws.query.properties);
  return page(
    'websocket.html',
    api.value.info.title,
    `${paragraph(api.value.info.description)}
<section>
<h2>${code(`wss://HOST:PORT${stream.address}`)}</h2>
${paragraph(stream.description)}
${table(
  'pairs',
  ['query', 'description'],
  query.map(([name, schema]) => [code(name), escape(schema.description)]),
)}
</section>
${Object.values(api.value.operations)
  .map((operation) => operation_section(api, operation))
  .join('\n')}
${close_codes()}`,
  );
}

// What a body of this call may be.
function bodies(content) {
  return Object.keys(content.value)
    .map((type) => {
      const schema = member(content, type, 'schema');
      const is_envelope = schema.value.oneOf?.[0].$ref === 'schemas/event_envelope.schema.json';
      const told = is_envelope
        ? '<p>One <a href="events.html#envelope">event envelope</a>, or an array of 1 to 1000.</p>'
        : paragraph(schema.value.description) + members_table(schema);
      return `<h4>${code(type)}</h4>\n${told}`;
    })
    .join('\n');
}

function parameters_table(parameters) {
  const rows = parameters.map(({ name, description, schema }) => [
    code(name),
    escape(`${description} ${schema.minimum} to ${schema.maximum}; when it is left out, ${schema.default}.`),
  ]);
  return rows.length ? table('pairs', ['query', 'description'], rows) : '';
}

function refusals_table(operation, statuses) {
  const rows = statuses.map((status) => {
    const { description, content } = member(operation, 'responses', status).value;
    const anchor = content['application/problem+json'] ? 'problem' : 'refused_token';
    return [code(status), `${escape(description)} <a href="#${anchor}">Body</a>`];
  });
  return table('pairs', ['refused with', 'why'], rows);
}

function answer_section(operation, status) {
  const response = member(operation, 'responses', status);
  return `<h3>Answer: ${code(status)} ${escape(response.value.description)}</h3>
${bodies(member(response, 'content'))}`;
}

function call_section(api, path, method) {
  const operation = member(api, 'paths', path, method);
  const { summary, description, operationId, parameters = [], requestBody, responses } = operation.value;
  const is_refusal = (status) => status >= '400';
  const statuses = Object.keys(responses);
  return `<section id="${operationId}">
<h2>${code(`${method.toUpperCase()} ${path}`)} ${escape(summary)}</h2>
${paragraph(description)}
${parameters_table(parameters)}
${requestBody ? `<h3>Body</h3>\n${bodies(member(operation, 'requestBody', 'content'))}` : ''}
${statuses
  .filter((status) => !is_refusal(status))
  .map((status) => answer_section(operation, status))
  .join('\n')}
<h3>Refusals</h3>
${refusals_table(operation, statuses.filter(is_refusal))}
</section>`;
}

function rest_page() {
  const api = open('openapi.yaml');
  const calls = Object.entries(api.value.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => call_section(api, path, method)),
  );
  return page(
    'rest.html',
    api.value.info.title,
    `${paragraph(api.value.info.description)}
${calls.join('\n')}
<section id="problem">
<h2>${code('application/problem+json')}</h2>
${paragraph(schema_of('problem').value.description)}
${members_table(schema_of('problem'))}
</section>
<section id="refused_token">
<h2>A refused token</h2>
${members_table(member(schema_of('error'), '$defs', 'auth_failed'))}
</section>`,
  );
}

function event_section(event) {
  const schema = schema_of(event);
  const notification = member(schema_of('notification'), '$defs', event);
  return `<section id="${event}">
<h2>${code(event)}</h2>
${paragraph(notification.value.description)}
${members_table(schema)}
${example(notification_example(event))}
</section>`;
}

function events_page() {
  const envelope = schema_of('event_envelope');
  const marks = member(schema_of('notification'), '$defs', EVENTS[0]);
  return page(
    'events.html',
    'Carillon, the events',
    `${paragraph('Three events: what they carry, how they are published, how they arrive. Members that are not listed are passed on unchanged.')}
${EVENTS.map(event_section).join('\n')}
<section id="envelope">
<h2>The envelope, as it is published</h2>
${paragraph(envelope.value.description)}
${EVENTS.map((event) => `<h3>${code(event)}</h3>\n${members_table(without_payload_members(member(envelope, '$defs', event)))}`).join('\n')}
</section>
<section id="notification">
<h2>The notification, as it arrives</h2>
${members_table(without_payload_members(marks))}
</section>`,
  );
}

// The tables above tell what is in a payload.
function without_payload_members(node) {
  const properties = { ...node.value.properties, payload: { type: 'object', description: 'As told above.' } };
  return { ...node, value: { ...node.value, properties } };
}

function index_page() {
  const titles = [open('asyncapi.yaml'), open('openapi.yaml')].map((api) => api.value.info.description);
  return page(
    'index.html',
    'Carillon, the reference',
    `<dl>
<dt><a href="websocket.html">The WebSocket</a></dt><dd>${escape(titles[0])}</dd>
<dt><a href="rest.html">REST</a></dt><dd>${escape(titles[1])}</dd>
<dt><a href="events.html">The events</a></dt><dd>What the three events carry, and how they are published.</dd>
</dl>`,
  );
}

const { values } = parseArgs({ options: { out: { type: 'string' } } });
if (!values.out) {
  console.error('usage: node contract/reference/build.mjs --out DIR');
  process.exit(2);
}
mkdirSync(values.out, { recursive: true });
const pages = {
  'index.html': index_page,
  'websocket.html': websocket_page,
  'rest.html': rest_page,
  'events.html': events_page,
};
for (const [file, make] of Object.entries(pages)) writeFileSync(join(values.out, file), make());
copyFileSync(join(dirname(fileURLToPath(import.meta.url)), 'reference.css'), join(values.out, 'reference.css'));
