// A page of the console in Chromium while a server pushes to it: how long its frames take, and what it keeps.

import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { launchChromium } from '../../tests/browser/chromium.mjs';
import { Server, until } from '../../tests/browser/server.mjs';

/** Milliseconds of one frame at 60 Hz. */
const FRAME_MAX = 16;
/** After everything that can be collected was. What the client holds for tabs that join breathes by about as much. */
const HEAP_GROWTH_BYTES_MAX = 2 ** 20;
const NODE_GROWTH_MAX = 0.1;
/** Enough that every list of the page is full, and the client remembers as many ids as it ever does. */
const WARM_UP_EVENTS = 10_000;
const CALLS_PER_SECOND = 40;

const { values } = parseArgs({
  options: {
    pages: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '200' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);

// Events as a busy day has them: of ten, five are updates of orders, four signals, one an alert.
class Market {
  #count = 0;
  #orders = [];

  next() {
    const turn = this.#count++ % 10;
    if (turn === 9) return this.#alert();
    return turn % 2 === 0 ? this.#order() : this.#signal();
  }

  #signal() {
    const price = 60_000 + randomInt(9000);
    return {
      event: 'new_trade_signal',
      payload: {
        signal_id: `s-${this.#count}`,
        instrument_id: 'BTC/USDT',
        direction: randomInt(2) ? 'BUY' : 'SELL',
        entry_price: price,
        stop_loss: price - 500,
        take_profit: [price + 500, price + 1000],
        source_agent_id: 'AnalystAgent-001',
        confidence: 0.75,
      },
    };
  }

  #alert() {
    // Few are serious: those the client keeps for an hour, for tabs that join.
    const level = ['CRITICAL', 'ERROR', 'WARNING', 'WARNING', 'WARNING', 'WARNING'][randomInt(20)] ?? 'INFO';
    return {
      event: 'system_alert',
      payload: { alert_id: `a-${this.#count}`, level, message: `Alert ${this.#count}`, component: 'risk' },
    };
  }

  // Submitted, filled in four parts, done; a dozen at a time.
  #order() {
    if (this.#orders.length < 12) {
      this.#orders.push({ id: `o-${this.#count}`, filled: 0 });
      return this.#update(this.#orders.at(-1), 'SUBMITTED');
    }
    const order = this.#orders.shift();
    order.filled += 0.5;
    if (order.filled === 2) return this.#update(order, 'FILLED');
    this.#orders.push(order);
    return this.#update(order, 'PARTIALLY_FILLED');
  }

  #update({ id, filled }, status) {
    const payload = {
      order_id: id,
      instrument_id: 'ETH/USDT',
      status,
      side: 'BUY',
      type: 'LIMIT',
      quantity_total: 2,
      quantity_filled: filled,
    };
    if (filled > 0) payload.price_avg_filled = 3400.25;
    return { event: 'order_update', user_id: 'alice', payload };
  }
}

class Publisher {
  // One connection: two could overtake each other, and the updates of an order with them.
  #agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  #market = new Market();
  published = 0;

  constructor(server) {
    this.server = server;
    this.token = server.token('publisher', { scope: 'publish' });
  }

  send(count) {
    const body = JSON.stringify(Array.from({ length: count }, () => this.#market.next()));
    const options = {
      host: 'localhost',
      port: this.server.port,
      path: '/v1/events',
      method: 'POST',
      ca: this.server.certificate,
      agent: this.#agent,
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
    };
    return new Promise((resolve, reject) => {
      const call = https.request(options, (answer) => {
        answer.resume();
        if (answer.statusCode !== 202) return reject(new Error(`publishing was answered with ${answer.statusCode}`));
        this.published += count;
        answer.on('end', resolve);
      });
      call.on('error', reject);
      call.end(body);
    });
  }

  // Calls are due by the clock, whenever the ones before are answered.
  async sendFor(duration, perSecond) {
    const calls = [];
    const began = performance.now();
    for (let call = 0; call < duration * CALLS_PER_SECOND; ++call) {
      const due = began + (1000 * call) / CALLS_PER_SECOND;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
      calls.push(this.send(Math.round(perSecond / CALLS_PER_SECOND)));
    }
    await Promise.all(calls);
  }

  close() {
    this.#agent.destroy();
  }
}

// In the page. A frame's work is from its first callback to the first task behind it: scripts, style, layout and paint.
function beginMeasuring() {
  const seen = { intervals: [], work: [], longTasks: [], shifts: 0, shifted: {} };
  const { port1, port2 } = new MessageChannel();
  let isOn = true;
  let last;
  let began = 0;
  port2.onmessage = () => seen.work.push(performance.now() - began);
  const onFrame = (at) => {
    if (!isOn) return;
    requestAnimationFrame(onFrame);
    began = performance.now();
    if (last !== undefined) seen.intervals.push(at - last);
    last = at;
    performance.mark('carillon-frame'); // for the trace
    performance.clearMarks();
    port1.postMessage(0);
  };
  const longTasks = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) seen.longTasks.push(duration);
  });
  const shifts = new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries()) {
      seen.shifts += value;
      for (const { node } of sources) {
        const name = (node?.outerHTML ?? node?.parentNode?.outerHTML ?? 'a node that is gone').slice(0, 120);
        if (Object.keys(seen.shifted).length < 20) seen.shifted[name] = true;
      }
    }
  });
  longTasks.observe({ type: 'longtask' });
  shifts.observe({ type: 'layout-shift' });
  requestAnimationFrame(onFrame);
  window.endMeasuring = () => {
    isOn = false;
    longTasks.disconnect();
    shifts.disconnect();
    delete window.endMeasuring;
    return seen;
  };
}

// CPU milliseconds of the page's main thread in each frame, from a trace. Unlike by the clock, what others on the machine
// do is not in it.
function cpuOfFrames(trace) {
  const { traceEvents } = JSON.parse(trace.toString());
  const marks = traceEvents.filter(({ name }) => name === 'carillon-frame');
  const [{ pid, tid }] = marks;
  const tasks = traceEvents.filter(
    (event) => event.pid === pid && event.tid === tid && event.name.endsWith('::RunTask'),
  );
  const begins = marks.map(({ ts }) => ts).sort((a, b) => a - b);
  const frames = new Array(begins.length).fill(0);
  let frame = 0;
  let end = 0;
  // A task with a frame's mark in it begins before the mark. One within another is in the other's time.
  for (const { ts, dur = 0, tdur = 0 } of tasks.sort((a, b) => a.ts - b.ts)) {
    if (ts < end) continue;
    end = ts + dur;
    while (frame < begins.length && begins[frame] < end) ++frame;
    if (frame > 0) frames[frame - 1] += tdur / 1000;
  }
  return frames;
}

async function kept(session) {
  for (let round = 0; round < 3; ++round) await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes } = await session.send('Memory.getDOMCounters');
  return { heapBytes: usedSize, nodes };
}

function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (fraction) => +(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0).toFixed(2);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

const delivered = async (page) => Number(await page.getByTestId('delivered').textContent());

async function measure(server, browser) {
  const page = await browser.newPage({ viewport: { width: 1366, height: 768 } });
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(
    `https://localhost:${server.port}/console/#token=${server.token('alice', { exp: Math.floor(Date.now() / 1000) + 7200 })}`,
  );
  await page.locator('[data-testid=state][data-state=live]').waitFor();

  const publisher = new Publisher(server);
  const arrival = () =>
    until(async () => (await delivered(page)) === publisher.published, 'the arrival of everything', 60_000);
  for (let sent = 0; sent < WARM_UP_EVENTS; sent += 500) await publisher.send(500);
  await arrival();

  const session = await page.context().newCDPSession(page);
  const begin = await kept(session);
  await page
    .context()
    .browser()
    .startTracing(page, { categories: ['-*', 'toplevel', 'blink.user_timing'] });
  await page.evaluate(beginMeasuring);
  await publisher.sendFor(seconds, rate);
  const seen = await page.evaluate(() => window.endMeasuring());
  const cpu = cpuOfFrames(await page.context().browser().stopTracing());
  await arrival();
  const end = await kept(session);
  publisher.close();
  await page.close();
  return {
    rate,
    seconds,
    notifications: seconds * rate,
    frames: seen.intervals.length,
    interval: spread(seen.intervals),
    work: spread(seen.work),
    cpu: spread(cpu),
    tracedFrames: cpu.length,
    framesOverBudget: cpu.filter((work) => work > FRAME_MAX).length,
    longTasks: { count: seen.longTasks.length, max: Math.max(0, ...seen.longTasks) },
    layoutShift: +seen.shifts.toFixed(4),
    shifted: Object.keys(seen.shifted),
    begin,
    end,
    faults,
  };
}

function printTable(result) {
  const row = (name, value, target = '') => console.log(`${name.padEnd(36)}${String(value).padStart(26)}  ${target}`);
  const three = ({ p50, p99, max }) => `${p50} / ${p99} / ${max}`;
  const mebi = (bytes) => `${(bytes / 2 ** 20).toFixed(2)} MiB`;
  row(`${result.rate} notifications/s for ${result.seconds} s`, `${result.frames} frames`);
  row('CPU of a frame, ms: p50 / p99 / max', three(result.cpu), `p99 < ${FRAME_MAX}`);
  row(`frames with over ${FRAME_MAX} ms of CPU`, result.framesOverBudget);
  row('by the clock: p50 / p99 / max', three(result.work));
  row('frame to frame: p50 / p99 / max', three(result.interval));
  row('long tasks: count / max ms', `${result.longTasks.count} / ${result.longTasks.max}`);
  row('layout shift', result.layoutShift, '0');
  row(
    'heap, begin / end',
    `${mebi(result.begin.heapBytes)} / ${mebi(result.end.heapBytes)}`,
    `grows by < ${mebi(HEAP_GROWTH_BYTES_MAX)}`,
  );
  row('DOM nodes, begin / end', `${result.begin.nodes} / ${result.end.nodes}`, `grows by < ${100 * NODE_GROWTH_MAX} %`);
  row('errors in the page', result.faults.length, '0');
  for (const node of result.shifted) console.log(`  shifted: ${node}`);
  for (const fault of result.faults) console.log(`  ${fault}`);
}

const meetsTargets = ({ cpu, layoutShift, begin, end, faults }) =>
  cpu.p99 < FRAME_MAX &&
  layoutShift === 0 &&
  end.heapBytes - begin.heapBytes < HEAP_GROWTH_BYTES_MAX &&
  end.nodes < begin.nodes * (1 + NODE_GROWTH_MAX) &&
  faults.length === 0;

const server = await Server.start({ console: [`directory = "${values.pages}"`] });
const browser = await launchChromium();
try {
  const result = await measure(server, browser);
  printTable(result);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  process.exitCode = meetsTargets(result) ? 0 : 1;
} finally {
  await browser.close();
  await server.stop();
}
