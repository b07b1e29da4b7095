/** The page on purpose for the LAN: who is in one of the Pi's networks reads it, who comes from beyond the router does not. Needs root. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gatherLine } from '../support/everything-logged.js';
import { LabDaemon } from './daemon.js';
import { Lab } from './lab.js';
import { run } from './netns.js';
import { LAN, PI, WAN } from './topology.js';

const PORT = 8_088;

describe('the page of a daemon in a LAN', () => {
  let lab: Lab;
  let daemon: LabDaemon | undefined;
  before(async () => {
    lab = await Lab.create({});
    daemon = LabDaemon.start(lab, {
      env: { DUNEBUGGER_STATUS_STATUS_PAGE: 'True', DUNEBUGGER_STATUS_STATUS_LISTEN: 'lan' },
    });
    await daemon.joined();
  });
  after(async () => {
    await daemon?.kill();
    await lab.destroy();
  });

  /** What the router reads at an address of the Pi when it asks from one of its own; or the error's code. */
  async function asked(host: string, localAddress: string): Promise<string> {
    const question = {
      host,
      localAddress,
      port: PORT,
      path: '/',
      headers: { host: `${host.includes(':') ? `[${host}]` : host}:${PORT}` },
    };
    const script = `const { get } = require('node:http');
get(${JSON.stringify(question)}, (answer) => answer.setEncoding('utf8').on('data', (text) => process.stdout.write(text)))
  .on('error', ({ code }) => console.log(code));`;
    return run('ip', ['netns', 'exec', lab.namespace('router'), process.execPath, '-e', script]);
  }

  it('is read by a neighbour, over IPv4 and IPv6', async () => {
    for (const [host, from] of [
      [PI.v4, LAN.v4],
      [PI.v6, LAN.v6],
    ] as const) {
      const page = await asked(host, from);
      assert.match(page, /<p class="sentence good">Online, connected since/, host);
      gatherLine('page', page);
    }
  });

  it('is not read by whoever comes from beyond', async () => {
    assert.match(await asked(PI.v4, WAN.v4), /^ECONNRESET/);
    assert.match(await asked(PI.v6, WAN.v6), /^ECONNRESET/);
  });
});
