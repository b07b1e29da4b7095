/** Asks a witness through the name server given on the command line, gives it up, and has nothing more to do. */
import { askWitnesses, lookupOf } from '../../src/workers/probe/witnesses.js';

const [server = ''] = process.argv.slice(2);
const LOOKUP_MS = 60_000;
const abort = new AbortController();
setTimeout(() => abort.abort(), 300);
const [evidence] = await askWitnesses({
  witnesses: [{ host: 'witness.test', port: 443 }],
  lookup: lookupOf(LOOKUP_MS, [server]),
  timeoutMs: LOOKUP_MS,
  signal: abort.signal,
});
process.stdout.write(`${evidence?.error ?? 'none'}\n`);
