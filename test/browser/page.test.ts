/** The page in a real browser, through an outage: with and without script, on a phone and on a desk, light and dark, in both languages. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { noBrowser, startBrowser, violationsOf } from '../support/browser.js';
import { gatherLine } from '../support/everything-logged.js';
import { findNatsServer } from '../support/nats-server.js';
import { startWatched, type WatchedInstallation } from '../support/watched-installation.js';

const skip = findNatsServer() === undefined ? 'nats-server is not installed' : noBrowser();

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 } as const;
const DESK = { viewport: { width: 1_280, height: 900 } } as const;

interface Seen {
  readonly name: string;
  readonly options: BrowserContextOptions;
  readonly online: RegExp;
  readonly offline: RegExp;
}

const ENGLISH = { online: /^Online, connected since/, offline: /^Offline since/ };
const ITALIAN = { online: /^Internet c’è, collegato/, offline: /^Senza internet/ };
const ALL: readonly Seen[] = [
  { name: 'on a desk, light', options: { ...DESK, colorScheme: 'light', locale: 'en-GB' }, ...ENGLISH },
  { name: 'on a phone, dark, Italian', options: { ...PHONE, colorScheme: 'dark', locale: 'it-IT' }, ...ITALIAN },
  {
    name: 'on a desk, dark, without script',
    options: { ...DESK, colorScheme: 'dark', locale: 'en-GB', javaScriptEnabled: false },
    ...ENGLISH,
  },
  {
    name: 'on a phone, light, Italian, without script',
    options: { ...PHONE, colorScheme: 'light', locale: 'it-IT', javaScriptEnabled: false },
    ...ITALIAN,
  },
];

describe('the page in Chromium', { skip, timeout: 150_000 }, () => {
  let browser: Browser;
  let watched: WatchedInstallation;
  const pages = new Map<Seen, { readonly page: Page; readonly context: BrowserContext }>();
  const complaints: string[] = [];
  before(async () => {
    watched = await startWatched();
    browser = await startBrowser();
    for (const seen of ALL) {
      const context = await browser.newContext(seen.options);
      const page = await context.newPage();
      page.on('console', (message) => complaints.push(`${seen.name}: ${message.text()}`));
      page.on('pageerror', (error) => complaints.push(`${seen.name}: ${error.message}`));
      await page.goto(`http://localhost:${watched.port}/`);
      pages.set(seen, { page, context });
    }
  });
  after(async () => {
    await browser.close();
    await watched.stop();
  });

  const pageOf = (seen: Seen): Page => pages.get(seen)!.page;
  const sentence = (page: Page): Promise<string> => page.locator('.sentence').innerText();

  /** With script it changes by itself; without, whoever wants to know presses the button. */
  async function becomes(seen: Seen, expected: RegExp): Promise<void> {
    const page = pageOf(seen);
    const untilMs = performance.now() + 40_000;
    while (!expected.test(await sentence(page))) {
      assert.ok(performance.now() < untilMs, `${seen.name}: ${await sentence(page)}`);
      if (seen.options.javaScriptEnabled === false) await page.getByRole('button').click();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    gatherLine('page', await page.content());
  }

  /** axe is script itself: what a page without script shows is laid before it in one that has it. */
  async function violationsIn(seen: Seen): Promise<readonly string[]> {
    const page = pageOf(seen);
    if (seen.options.javaScriptEnabled !== false) return violationsOf(page);
    const context = await browser.newContext({ ...seen.options, javaScriptEnabled: true });
    try {
      const copy = await context.newPage();
      await copy.setContent((await page.content()).replace(/<script>.*<\/script>/s, ''));
      return await violationsOf(copy);
    } finally {
      await context.close();
    }
  }

  async function isInOrder(seen: Seen): Promise<void> {
    const page = pageOf(seen);
    assert.deepEqual(await violationsIn(seen), [], seen.name);
    const [inner, whole] = await page.evaluate<readonly [number, number]>(
      '[document.documentElement.clientWidth, document.documentElement.scrollWidth]',
    );
    assert.ok(whole <= inner, `${seen.name}: ${whole} wide in ${inner}`);
    for (const id of ['chain', 'day', 'month', 'latency', 'outages']) {
      const box = await page.locator(`#${id}`).boundingBox();
      assert.ok((box?.height ?? 0) > 20, `${seen.name}: ${id} is not to be seen`);
    }
  }

  for (const seen of ALL)
    it(`${seen.name}: says that all is well`, async () => {
      await becomes(seen, seen.online);
      assert.equal(await pageOf(seen).locator('#chain > .ok').count(), 9);
      await isInOrder(seen);
    });

  it('what is drawn has the colours of the style sheet: the policy lets them through', async () => {
    const [seen] = ALL;
    const fill = await pageOf(seen!).evaluate('getComputedStyle(document.querySelector("#day .away")).fill');
    assert.equal(fill, 'rgb(179, 38, 30)');
  });

  it('the outage begins', async () => {
    await watched.site.breakInternet('refused');
    await watched.site.daemon.waitForLine(/Internet lost/);
  });

  for (const seen of ALL)
    it(`${seen.name}: says what is wrong and what to do, and marks the place`, async () => {
      await becomes(seen, seen.offline);
      const page = pageOf(seen);
      assert.equal(await page.locator('#chain > .bad').count(), 1);
      assert.equal((await page.locator('#sentence dd').count()) >= 3, true);
      await isInOrder(seen);
    });

  it('it ends, and every page says so', async () => {
    await watched.site.repairInternet();
    for (const seen of ALL) await becomes(seen, seen.online);
  });

  it('with script: says that the service is gone, and takes it up again when it is back', async () => {
    const [seen] = ALL;
    const page = pageOf(seen!);
    const gone = page.locator('#gone');
    assert.equal(await gone.isVisible(), false);
    await watched.site.daemon.kill();
    await gone.waitFor({ state: 'visible', timeout: 20_000 });
    assert.deepEqual(await violationsOf(page), []);
    await watched.site.startConnected();
    await gone.waitFor({ state: 'hidden', timeout: 40_000 });
    await becomes(seen!, seen!.online);
  });

  it('the browser had nothing to complain of, but that the service was gone', () => {
    assert.deepEqual(
      complaints.filter(
        (text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/.test(text),
      ),
      [],
    );
  });
});
