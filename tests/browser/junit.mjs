// A reporter of node:test: each test as a testcase of a JUnit file.

const escaped = (text) =>
  String(text).replace(/[<>&"\u0000-\u001f]/g, (c) => `&#${c.charCodeAt(0) < 32 ? 32 : c.charCodeAt(0)};`);

export default async function* junit(events) {
  yield '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites><testsuite name="browser">\n';
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // Files and suites are not cases of their own, unless they failed.
    const isSuite = data.details?.type === 'suite' || data.name.endsWith('.mjs');
    if (isSuite && type === 'test:pass') continue;
    yield `<testcase classname="browser" name="${escaped(data.name)}" time="${(data.details?.duration_ms ?? 0) / 1000}">`;
    if (data.skip !== undefined || data.todo !== undefined) yield '<skipped/>';
    if (type === 'test:fail') {
      const error = data.details?.error;
      yield `<failure message="${escaped(error?.cause?.message ?? error?.message)}">${escaped(error?.cause?.stack ?? '')}</failure>`;
    }
    yield '</testcase>\n';
  }
  yield '</testsuite></testsuites>\n';
}
