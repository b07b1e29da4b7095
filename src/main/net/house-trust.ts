/** The certificates that this process trusts, loaded at its start, with the words for what is wrong about them. */
import { loadTrust, type Trust } from '../../workers/net/trust.js';
import type { Logger } from '../log.js';

/** `env` is the process's own: NODE_TLS_REJECT_UNAUTHORIZED is taken out of it, for the threads that are started later, too. */
export function loadHouseTrust(caFile: string, env: NodeJS.ProcessEnv, log: Pick<Logger, 'warn' | 'error'>): Trust {
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    delete env['NODE_TLS_REJECT_UNAUTHORIZED'];
    log.warn(
      {},
      'NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect here: passwords travel, so every certificate is verified; take it out, and name the authority of the house in [Network] caFile',
    );
  }
  const trust = loadTrust({ env, caFile });
  for (const problem of trust.problems) {
    log.error(
      {},
      `Certificates: ${problem}; going on with the others. The service runs as a user of its own and sees no /home`,
    );
  }
  return trust;
}
