// Opens an address in Chromium, as a reader who goes on past the warning of a home-made certificate, until the page holds
// a text: node open_page.mjs ADDRESS TEXT. CHROMIUM is the browser's path.

import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../browser/package.json', import.meta.url))('playwright-core');
const [address, text] = process.argv.slice(2);

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--ignore-certificate-errors'],
});
try {
  const page = await browser.newPage();
  page.on('console', (message) => console.log(message.text()));
  page.on('pageerror', (error) => console.log(String(error)));
  await page.goto(address);
  try {
    await page.getByText(text).first().waitFor({ timeout: 60_000 });
  } catch {
    console.log(`the page never held ${text}, but\n${await page.innerText('body')}`);
    process.exitCode = 1;
  }
} finally {
  await browser.close();
}
