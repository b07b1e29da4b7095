/** What the `pi` sees of the internet, in a few words, asked without the code under test. */
import type { Lab } from './lab.js';
import type { Outcome } from './probe.js';
import { NET, PORTS, SITE_NAME } from './topology.js';

/**
 * `ok`, a status, or where and how it failed: `tcp TIMEOUT`. A look-up that answers with another address than the site's
 * says so: `to 10.77.66.66`.
 */
export interface View {
  readonly a: string;
  readonly aaaa: string;
  readonly https4: string;
  readonly https6: string;
}

/** What everybody sees of a lab in which everything works. */
export const HEALTHY: View = { a: 'ok', aaaa: 'ok', https4: '200', https6: '200' };

/** Silence is waited for as long as that, everything else as long as a slow machine may need. */
const SILENCE_MS = 700;
const ANSWER_MS = 8_000;

/** Looks at everything at once. `expected` tells where silence is expected, so that it is not waited for longer. */
export async function look(lab: Lab, expected: View = HEALTHY): Promise<View> {
  const timeoutMs = (what: string): number => (what.includes('TIMEOUT') ? SILENCE_MS : ANSWER_MS);
  const lookUp = async (type: 'A' | 'AAAA', what: string, address: string): Promise<string> => {
    const outcome = await lab.probe.call('lookUp', { name: SITE_NAME, type, timeoutMs: timeoutMs(what) });
    if (!outcome.ok) return outcome.error;
    const [first] = outcome.addresses ?? [];
    return first === address ? 'ok' : `to ${String(first)}`;
  };
  const head = async (address: string, what: string): Promise<string> => {
    const request = { address, port: PORTS.site, name: SITE_NAME, ca: lab.ca, timeoutMs: timeoutMs(what) };
    return words(await lab.probe.call('head', request));
  };
  const [a, aaaa, https4, https6] = await Promise.all([
    lookUp('A', expected.a, NET.v4),
    lookUp('AAAA', expected.aaaa, NET.v6),
    head(NET.v4, expected.https4),
    head(NET.v6, expected.https6),
  ]);
  return { a, aaaa, https4, https6 };
}

function words(outcome: Outcome): string {
  return outcome.ok ? String(outcome.status ?? 'ok') : `${outcome.at} ${outcome.error}`;
}
