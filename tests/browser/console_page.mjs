// The console in a tab, as somebody who looks at it sees it, and everything that is wrong with it behind their back.

import assert from 'node:assert/strict';
import axe from 'axe-core';
import { until } from './server.mjs';

// AC1 and AC2 of what is promised: that long an event may take to appear. It bounds waits; nothing is measured here.
export const APPEARS_WITHIN_MS = 2_000;

// What a browser says itself when a server goes away.
const LOST_CONNECTION = /^WebSocket connection to 'wss:\/\/\S+' failed/;

// A window of its own: other tabs of it share nothing with those of another. It goes when the test ends.
export async function openWindow(t, browser, options = {}) {
  const window = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en', ...options });
  await window.addInitScript(() => {
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`the policy forbids ${violatedDirective} ${blockedURI}`),
    );
  });
  t.after(() => window.close());
  return window;
}

export class ConsolePage {
  // Every WebSocket that the tab has opened.
  sockets = [];
  #faults = [];

  // A new tab of that window, and the address as somebody enters it. At the test's end nothing may have been wrong.
  static async open(t, window, server, token) {
    const page = new ConsolePage();
    page.tab = await window.newPage();
    page.#watch(t);
    await page.tab.goto(server.consoleUrl + (token ? `#token=${token}` : ''));
    return page;
  }

  #watch(t) {
    this.tab.on('websocket', (socket) => this.sockets.push(socket));
    this.tab.on('pageerror', (error) => this.#faults.push(error.stack));
    this.tab.on('console', (message) => {
      const isFault = ['error', 'warning'].includes(message.type()) && !LOST_CONNECTION.test(message.text());
      if (isFault) this.#faults.push(message.text());
    });
    t.after(() => assert.deepEqual(this.#faults, []));
  }

  get(testId) {
    return this.tab.getByTestId(testId);
  }

  async is(state) {
    await this.tab.locator(`[data-testid=state][data-state=${state}]`).waitFor();
  }

  // The row of that id, `kind` being what stands out in it: an order's status, an alert's level.
  row(pane, id, kind) {
    const kindIs = kind === undefined ? '' : `[data-kind=${kind}]`;
    return this.get(pane).locator(`[role=row][data-id=${JSON.stringify(id)}]${kindIs}`);
  }

  // The rows that hold this text.
  saying(pane, text) {
    return this.get(pane).locator('[role=row][data-id]', { hasText: text });
  }

  // The row has appeared, in time.
  async shows(row) {
    await row.waitFor({ timeout: APPEARS_WITHIN_MS });
  }

  // By field, the texts of all rows that are drawn, newest first.
  rows(pane) {
    return this.get(pane)
      .locator('[role=row][data-id]')
      .evaluateAll((rows) =>
        rows.map((row) =>
          Object.fromEntries(
            [...row.querySelectorAll('[data-field]')].map((each) => [each.dataset.field, each.textContent]),
          ),
        ),
      );
  }

  // What of the page has the keyboard: its test id, or how it is called.
  focused() {
    return this.tab.evaluate(() => {
      const { activeElement } = document;
      return activeElement.dataset.testid ?? activeElement.ariaLabel ?? activeElement.getAttribute('aria-labelledby');
    });
  }

  async tabTo(what) {
    for (let step = 0; (await this.focused()) !== what; ++step) {
      assert.ok(step < 60, `the keyboard does not get to ${what}`);
      await this.tab.keyboard.press('Tab');
    }
  }

  // All of the page, as the browser's own parts of it.
  async hasColours(theme) {
    await this.tab.locator(`html[data-theme=${theme}]`).waitFor();
    assert.equal(await this.tab.evaluate(() => getComputedStyle(document.documentElement).colorScheme), theme);
  }

  // axe-core finds nothing serious, in light colours and in dark ones.
  async isAccessible() {
    for (const colorScheme of ['light', 'dark']) {
      await this.tab.emulateMedia({ colorScheme });
      await this.hasColours(colorScheme);
      await this.tab.evaluate(axe.source);
      const { violations, passes } = await this.tab.evaluate(() => window.axe.run(document));
      const looked = passes.map(({ id }) => id);
      assert.ok(looked.includes('color-contrast'), `only ${looked} was looked at`);
      const serious = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
      const findings = serious.map(({ help, nodes }) => [
        help,
        ...nodes.map(({ html, any }) => `${html} ${any[0]?.message}`),
      ]);
      assert.deepEqual(findings, [], colorScheme);
    }
  }

  // How many rows the pane was ever given.
  async added(pane) {
    return Number(await this.get(`${pane}-count`).getAttribute('data-added'));
  }

  // The field's texts in all rows, once they are these.
  async fieldIs(pane, field, texts) {
    let shown;
    try {
      await until(async () => {
        shown = (await this.rows(pane)).map((row) => row[field]);
        return shown.length === texts.length && shown.every((text, at) => text === texts[at]);
      }, `the field ${field} of ${pane}`);
    } catch {
      assert.deepEqual(shown, texts);
    }
  }
}
