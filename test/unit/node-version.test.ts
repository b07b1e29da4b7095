import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { complaintOfNode } from '../../src/main/cli/node-version.js';

describe('a Node is new enough', () => {
  for (const [version, enough] of [
    ['18.20.4', false],
    ['20.9.0', false],
    ['20.18.99', false],
    ['20.19.0', true],
    ['20.19.1', true],
    ['20.20.0', true],
    ['21.0.0', true],
    ['24.21.0', true],
    ['22.0.0-nightly20240101', true],
  ] as const) {
    it(`${version}: ${enough ? 'yes' : 'no'}`, () => {
      const complaint = complaintOfNode(version, '/usr/bin/node', '>=20.19.0');
      assert.equal(complaint === undefined, enough, complaint);
    });
  }

  it('if not, it is said which, where, and what to do', () => {
    assert.equal(
      complaintOfNode('18.20.4', '/usr/bin/node', '>=20.19.0'),
      'Node 20.19 or later is needed, and this is 18.20.4 (/usr/bin/node); install nodejs (20.19 or later) or dunebugger-remote-node',
    );
  });
});
