/** What a browser gets: the page, what changes in it, the table for spreadsheets, and a look at the internet. By GET alone. */
import { randomBytes } from 'node:crypto';
import { outagesCsv } from '../history/outages-page.js';
import type { OutageReport } from '../history/report.js';
import { STOPPED } from '../http/answers.js';
import type { Answer, EventStream, Question } from '../http/server.js';
import type { Looks } from '../looks.js';
import type { Logger } from '../../base/logger.js';
import { documentOf, POLICY } from './document.js';
import { LivePages } from './live.js';
import type { Shown } from './sections.js';
import { languageOf, WORDS } from './languages.js';

export interface PageOptions {
  /** How everything is now, without anything that must not be read; undefined while nothing runs. */
  readonly look: () => Promise<Shown | undefined>;
  readonly outages: () => Promise<OutageReport>;
  readonly looks: Looks;
  readonly log: Logger;
}

export interface Pages {
  page(question: Question): Promise<Answer>;
  events(question: Question): EventStream;
  look(question: Question): Promise<Answer>;
  csv(): Promise<Answer>;
}

const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  vary: 'accept-language',
} as const;

export function createPages({ look, outages, looks, log }: PageOptions): Pages {
  // A page of a stranger can send a browser here, but cannot read what is in ours (as against CSRF).
  const token = randomBytes(12).toString('base64url');
  const live = new LivePages({ look, log });
  return {
    page: async ({ headers }) => {
      const shown = await look();
      if (shown === undefined) return STOPPED;
      const body = documentOf(shown, WORDS[languageOf(headers['accept-language'])], token);
      return { contentType: 'text/html; charset=utf-8', body, headers: HEADERS };
    },
    events: ({ headers }) => live.stream(languageOf(headers['accept-language'])),
    look: async ({ query }) => {
      if (query.get('t') === token) await looks.look('page');
      // Whoever comes with an old token has an old page, and gets a new one.
      return { status: 303, contentType: 'text/plain; charset=utf-8', body: '', headers: { location: './' } };
    },
    csv: async () => ({
      contentType: 'text/csv; charset=utf-8; header=present',
      body: outagesCsv(await outages()),
      headers: { 'content-disposition': 'attachment; filename="outages.csv"' },
    }),
  };
}
