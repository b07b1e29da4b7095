/** The page as a whole. Pure but for the hashes of its style and script, which are made once. */
import { createHash } from 'node:crypto';
import { Html, html } from './html.js';
import { SCRIPT } from './script.js';
import { moodOf, sectionsOf, type Shown } from './sections.js';
import { STYLE } from './style.js';
import type { Words } from './words.js';

/** Nothing but what the page itself has may run, look like something, or be asked; nobody may frame it (CSP 3). */
export const POLICY = [
  "default-src 'none'",
  `style-src '${hashOf(STYLE)}'`,
  `script-src '${hashOf(SCRIPT)}'`,
  "connect-src 'self'",
  'img-src data:',
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Not a sign more than what was hashed. */
const STYLE_ELEMENT = new Html(`<style>${STYLE}</style>`);
const SCRIPT_ELEMENT = new Html(`<script>${SCRIPT}</script>`);

/** `lookToken`: who has read the page may have the internet looked at; a stranger's page cannot. */
export function documentOf(shown: Shown, words: Words, lookToken: string): string {
  const parts = sectionsOf(shown, words);
  const { headings } = words;
  const page = html`<!doctype html>
    <html lang="${words.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <title>${titleOf(shown, words)}</title>
        <link rel="icon" href="data:," />
        ${STYLE_ELEMENT}
      </head>
      <body>
        <header><h1>DuneBugger Remote</h1></header>
        <main>
          <div id="sentence" role="status">${parts.sentence}</div>
          <div id="next">${parts.next}</div>
          <p class="gone" id="gone" role="status" hidden>${words.gone}</p>
          <form action="look">
            <input type="hidden" name="t" value="${lookToken}" /><button>${words.lookNow}</button>
          </form>
          <section aria-labelledby="h1">
            <h2 id="h1">${headings.chain}</h2>
            <ol id="chain">
              ${parts.chain}
            </ol>
          </section>
          <section aria-labelledby="h2">
            <h2 id="h2">${headings.day}</h2>
            <div id="day">${parts.day}</div>
          </section>
          <section aria-labelledby="h3">
            <h2 id="h3">${headings.month}</h2>
            <div id="month">${parts.month}</div>
          </section>
          <section aria-labelledby="h4">
            <h2 id="h4">${headings.latency}</h2>
            <div id="latency">${parts.latency}</div>
          </section>
          <section aria-labelledby="h5">
            <h2 id="h5">${headings.outages}</h2>
            <div id="outages">${parts.outages}</div>
            <p><a href="outages.csv" download>${words.asTable}</a></p>
          </section>
        </main>
        <footer id="foot">${parts.foot}</footer>
        ${SCRIPT_ELEMENT}
      </body>
    </html> `;
  return page.text;
}

const SIGNS = { good: '✓', bad: '✗', open: '…' } as const;

/** For the browser's tab: how it is, in a sign, then in words. */
export function titleOf({ snapshot }: Shown, words: Words): string {
  return `${SIGNS[moodOf(snapshot)]} ${words.sentence(snapshot)}`;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
