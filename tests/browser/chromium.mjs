// Debian's Chromium, or the one that CARILLON_CHROMIUM names.

import { chromium } from 'playwright-core';
import { spki } from './server.mjs';

export const switches = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // The certificate of this process's servers, and no other, is taken though no authority signed it.
  `--ignore-certificate-errors-spki-list=${spki}`,
];

export const launchChromium = (more = []) =>
  chromium.launch({ executablePath: process.env.CARILLON_CHROMIUM, headless: true, args: [...switches, ...more] });
