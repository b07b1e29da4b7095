/**
 * `npm run screenshots`: the pictures of the page in docs/, of a real daemon with thirty days behind it, in an outage and out of one. Needs
 * root for the time server on its port, and of Debian `chromium` and `pngquant`.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { startBrowser } from '../support/browser.js';
import { NtpServer } from '../support/ntp-server.js';
import { startWatched } from '../support/watched-installation.js';

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));

async function picture(browser: Browser, port: number, name: string, options: BrowserContextOptions): Promise<void> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`http://localhost:${port}/`);
  await page.screenshot({ path: path.join(DOCS, `${name}.png`), fullPage: options.isMobile !== true });
  await context.close();
  const file = path.join(DOCS, `${name}.png`);
  execFileSync('pngquant', ['--force', '--strip', '--output', file, '24', file], { timeout: 30_000 });
}

mkdirSync(DOCS, { recursive: true });
const time = await NtpServer.start({ port: 123 });
const watched = await startWatched({ DUNEBUGGER_NTP_NTP_SERVERS: '127.0.0.1' });
const browser = await startBrowser();
try {
  const { site, port } = watched;
  await site.daemon.waitForLine(/A component is running.*scheduler|scheduler.*A component is running/);
  await picture(browser, port, 'page-online', {
    viewport: { width: 720, height: 700 },
    locale: 'en-GB',
    colorScheme: 'light',
  });
  await site.breakInternet('refused');
  await site.daemon.waitForLine(/Internet lost/);
  await picture(browser, port, 'page-offline-phone', {
    viewport: { width: 390, height: 844 },
    isMobile: true,
    locale: 'it-IT',
    colorScheme: 'dark',
  });
} finally {
  await browser.close();
  await watched.stop();
  time.stop();
}
