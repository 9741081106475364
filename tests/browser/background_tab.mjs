// A tab that another tab is in front of. Playwright keeps every tab of its own in front, so this browser is spoken to
// without it, by the DevTools protocol.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import WebSocket from 'ws';
import { switches } from './chromium.mjs';

export class TwoTabBrowser {
  #waiting = new Map();
  #calls = 0;

  static async start() {
    const browser = new TwoTabBrowser();
    browser.profile = mkdtempSync(path.join(os.tmpdir(), 'carillon-chromium-'));
    const own = ['--headless', '--remote-debugging-port=0', `--user-data-dir=${browser.profile}`];
    browser.process = spawn(process.env.CARILLON_CHROMIUM, [...own, ...switches, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    browser.ended = once(browser.process, 'exit');
    await browser.#connect(await browser.#address());
    return browser;
  }

  // It says on standard error where it listens, and goes on to say things that nobody needs.
  #address() {
    return new Promise((resolve, reject) => {
      readline.createInterface({ input: this.process.stderr }).on('line', (line) => {
        const [, address] = /^DevTools listening on (\S+)/.exec(line) ?? [];
        if (address) resolve(address);
      });
      this.ended.then(() => reject(new Error('Chromium ended')));
    });
  }

  async #connect(address) {
    this.socket = new WebSocket(address, { perMessageDeflate: false });
    this.socket.on('message', (data) => {
      const { id, result } = JSON.parse(data);
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
    await once(this.socket, 'open');
  }

  // Its result; undefined where it failed.
  #call(method, params, sessionId) {
    return new Promise((resolve) => {
      this.#waiting.set(++this.#calls, resolve);
      this.socket.send(JSON.stringify({ id: this.#calls, method, params, sessionId }));
    });
  }

  // A new tab, in front of all others.
  async open(url) {
    const { targetId } = await this.#call('Target.createTarget', { url });
    const { sessionId } = await this.#call('Target.attachToTarget', { targetId, flatten: true });
    return {
      toFront: () => this.#call('Target.activateTarget', { targetId }),
      // Its value; undefined also while there is no document yet.
      evaluate: async (expression) => {
        const found = await this.#call('Runtime.evaluate', { expression, returnByValue: true }, sessionId);
        return found?.result.value;
      },
    };
  }

  async stop() {
    this.#call('Browser.close');
    await this.ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10 });
  }
}
