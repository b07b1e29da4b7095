/** Keeps the pages of those who watch up to date: what has changed is sent, and a timer runs only while somebody watches. */
import type { Logger } from '../../base/logger.js';
import { describeError } from '../../base/guard.js';
import type { EventStream } from '../http/server.js';
import { titleOf } from './document.js';
import { PICTURES, sectionOf, SECTIONS, type Section, type Shown } from './sections.js';
import { WORDS } from './languages.js';
import type { Language } from './words.js';

export interface LivePagesOptions {
  /** How everything is now; undefined while nothing runs. */
  readonly look: () => Promise<Shown | undefined>;
  readonly log: Logger;
  /** Between two looks, milliseconds. Default 2,000. */
  readonly everyMs?: number;
}

/** The pictures are drawn anew where the state is another one, otherwise at each so many looks. */
const PICTURES_EVERY = 5;
const QUICK = SECTIONS.filter((section) => !PICTURES.includes(section));

interface Watcher {
  readonly language: Language;
  readonly send: (event: string) => void;
  /** The parts as they were sent last. */
  seen: Readonly<Record<string, string>>;
}

export class LivePages {
  readonly #options: LivePagesOptions;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #looking = false;
  #looks = 0;
  #state = '';

  constructor(options: LivePagesOptions) {
    this.#options = options;
  }

  /** For one who watches in this language. */
  stream(language: Language): EventStream {
    return {
      begin: (send) => {
        const watcher: Watcher = { language, send, seen: {} };
        this.#watchers.add(watcher);
        // Whoever comes gets all there is.
        this.#looks = 0;
        this.#timer ??= setInterval(() => void this.#tell(), this.#options.everyMs ?? 2_000);
        void this.#tell();
        return () => {
          this.#watchers.delete(watcher);
          if (this.#watchers.size > 0) return;
          clearInterval(this.#timer);
          this.#timer = undefined;
        };
      },
    };
  }

  async #tell(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const shown = await this.#options.look();
      if (shown === undefined) return;
      const state = stateOf(shown);
      if (state !== this.#state) this.#looks = 0;
      this.#state = state;
      const sections = this.#looks % PICTURES_EVERY === 0 ? SECTIONS : QUICK;
      this.#looks += 1;
      const rendered = new Map<Language, Readonly<Record<string, string>>>();
      for (const watcher of this.#watchers) {
        const parts = rendered.get(watcher.language) ?? render(sections, shown, watcher.language);
        rendered.set(watcher.language, parts);
        const changed = Object.entries(parts).filter(([id, text]) => watcher.seen[id] !== text);
        watcher.seen = { ...watcher.seen, ...parts };
        if (changed.length > 0) watcher.send(`data: ${JSON.stringify(Object.fromEntries(changed))}\n\n`);
      }
    } catch (error) {
      this.#options.log.debug({ error: describeError(error) }, 'The page could not be kept up to date.');
    } finally {
      this.#looking = false;
    }
  }
}

function stateOf({ snapshot: { internet, cloud } }: Shown): string {
  return `${internet?.verdict ?? ''} ${cloud?.state ?? ''}`;
}

function render(sections: readonly Section[], shown: Shown, language: Language): Readonly<Record<string, string>> {
  const words = WORDS[language];
  const parts = Object.fromEntries(sections.map((id) => [id, sectionOf(id, shown, words).text]));
  return { ...parts, title: titleOf(shown, words) };
}
