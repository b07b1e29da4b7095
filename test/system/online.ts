/** A machine with the service in a lab, where it is online and connected. */
import { Lab } from '../lab/lab.js';
import { etcOf } from '../lab/netns.js';
import { CLOUD_NAME, PORTS, SITE_NAME } from '../lab/topology.js';
import { registerSecret } from '../support/everything-logged.js';
import type { Machine } from './machine.js';
import { machineWithService, type ServiceOptions } from './service.js';

const GROUP = 'velasquez';
const CREDENTIAL = '/etc/dunebugger-remote/credentials/WEBPUBSUB_CLIENT_URL';
export const CA_FILE = '/etc/dunebugger-remote/ca.pem';
/** The status line then. */
export const CONNECTED = new RegExp(
  `^Online, connected since \\d\\d:\\d\\d, group ${GROUP}(; the clock cannot be trusted)?$`,
);

export interface InLab {
  readonly lab: Lab;
  readonly machine: Machine;
  /** The access token of the cloud connection: a secret. */
  readonly token: string;
}

/** The caller stops the machine, and then destroys the lab. @param environment more lines of the file with the environment */
export async function machineInLab(
  options: Pick<ServiceOptions, 'dropIn' | 'prepare'> = {},
  environment: readonly string[] = [],
): Promise<InLab> {
  const lab = await Lab.create();
  try {
    const url = await lab.internet.call('clientAccessUrl', { userId: 'device' });
    const token = new URL(url).searchParams.get('access_token')!;
    if (!url.includes(`${CLOUD_NAME}:${PORTS.cloud}`)) throw new Error(`not of the lab: ${url}`);
    registerSecret(token);
    await lab.internet.call('browserJoin', { group: GROUP, userId: 'browser' });
    const namespace = lab.namespace('pi');
    const machine = await machineWithService({
      ...options,
      network: { namespace, resolvConf: `${etcOf(namespace)}/resolv.conf` },
      environment: [
        // The authority of the lab is that of a company: known by this setting alone.
        `DUNEBUGGER_NETWORK_CA_FILE=${CA_FILE}`,
        `WS_GROUP_NAME=${GROUP}`,
        `DUNEBUGGER_WEBSOCKET_TEST_DOMAIN=${SITE_NAME}`,
        'DUNEBUGGER_MESSAGE_QUEUE_M_QUEUE_ENABLED=False',
        ...environment,
        '',
      ].join('\n'),
      prepare: async (it) => {
        await it.write(CA_FILE, lab.ca);
        await it.write(CREDENTIAL, `${url}\n`, '600');
        await options.prepare?.(it);
      },
    });
    return { lab, machine, token };
  } catch (error) {
    await lab.destroy();
    throw error;
  }
}
