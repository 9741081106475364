// The package as its users get it.

import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oneOfEach, Server, until } from '../../../tests/browser/server.mjs';

const BUNDLE_BYTES_MAX = 6 * 1024;
const here = new URL('..', import.meta.url).pathname;
const run = promisify(execFile);

describe('the package, packed and installed', () => {
  let server: Server;
  let project: string;

  beforeAll(async () => {
    server = await Server.start();
    project = mkdtempSync(join(tmpdir(), 'carillon-client-'));
    await run('npm', ['run', 'build'], { cwd: here });
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', project], { cwd: here });
    const [{ filename }] = JSON.parse(stdout);
    writeFileSync(join(project, 'package.json'), '{"private": true, "type": "module"}');
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${filename}`], { cwd: project });
    mkdirSync(join(project, '.carillon'));
    writeFileSync(join(project, '.carillon/ca.pem'), server.certificate!);
    writeFileSync(join(project, '.carillon/alice.token'), `${server.token('alice')}\n`);
  }, 120_000);

  afterAll(async () => {
    rmSync(project, { recursive: true });
    await server.stop();
  });

  test("the README's first example runs as printed", { timeout: 60_000 }, async () => {
    const [, example] = /```js\n(.*?)```/s.exec(readFileSync(join(here, 'README.md'), 'utf8'))!;
    writeFileSync(join(project, 'example.js'), example!);
    const node = spawn(process.execPath, ['example.js'], {
      cwd: project,
      env: { ...process.env, CARILLON_URL: server.url },
    });
    let said = '';
    node.stdout.on('data', (text) => (said += text));
    node.stderr.on('data', (text) => (said += text));
    await until(() => said.includes('live'), 'live', 20_000);
    await server.publish(...oneOfEach('bob').slice(1, 2), ...oneOfEach('alice'));
    await until(() => said.includes('✓'), 'the events', 20_000);
    node.kill();
    expect(said).toContain("entry_price: '64000.5'");
    expect(said.match(/order_update/g)).toHaveLength(1);
  });

  test('a program in TypeScript sees its types', { timeout: 60_000 }, async () => {
    const program = `import { Carillon, type Decimal, type Status } from '@carillon/client';
      const carillon = new Carillon({ url: 'wss://x', token: 't', share: true, onNotification(n) {
        if (n.event === 'new_trade_signal') { const price: Decimal = n.payload.take_profit[0]; void price; }
        // @ts-expect-error an alert has no price
        if (n.event === 'system_alert') n.payload.entry_price;
      } });
      const status: Status = carillon.status;
      export default status;`;
    writeFileSync(join(project, 'program.ts'), program);
    const tsc = join(here, 'node_modules/typescript/bin/tsc');
    for (const [module, resolution] of [
      ['NodeNext', 'NodeNext'],
      ['ESNext', 'Bundler'],
    ]) {
      const options = [
        '--noEmit',
        '--strict',
        '--target',
        'ES2022',
        '--module',
        module!,
        '--moduleResolution',
        resolution!,
      ];
      await run(process.execPath, [tsc, ...options, 'program.ts'], { cwd: project }).catch(({ stdout }) =>
        expect.fail(stdout),
      );
    }
  });

  test(`a browser's bundle is under ${BUNDLE_BYTES_MAX} bytes, compressed, and has nothing of Node's`, async () => {
    const contents = "export { Carillon } from '@carillon/client';";
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: project },
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      write: false,
    });
    const bundle = outputFiles[0]!;
    expect(bundle.text).not.toMatch(/node:|require|Buffer/);
    expect(gzipSync(bundle.contents, { level: 9 }).length).toBeLessThan(BUNDLE_BYTES_MAX);
  });
});
