import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressesToTry, controlAddress } from '../../src/main/observe/control-address.js';

const HANDED_OVER = { LISTEN_PID: '42', LISTEN_FDS: '1' };
const IN_RUNTIME = { RUNTIME_DIRECTORY: '/run/dunebugger-remote:/run/other' };

describe('where the control socket is', () => {
  const cases: readonly (readonly [string, string, Record<string, string>, object])[] = [
    ['systemd hands it over', 'auto', { ...HANDED_OVER, ...IN_RUNTIME }, { kind: 'handed-over', fd: 3 }],
    [
      'to another process',
      'auto',
      { ...HANDED_OVER, LISTEN_PID: '7', ...IN_RUNTIME },
      { kind: 'path', path: '/run/dunebugger-remote/control.sock' },
    ],
    ['nonsense is handed over', 'auto', { ...HANDED_OVER, LISTEN_FDS: 'many' }, { kind: 'none' }],
    ['in the service', 'auto', IN_RUNTIME, { kind: 'path', path: '/run/dunebugger-remote/control.sock' }],
    [
      'by hand',
      'auto',
      { XDG_RUNTIME_DIR: '/run/user/1000' },
      { kind: 'path', path: '/run/user/1000/dunebugger-remote.sock' },
    ],
    ['nowhere', 'auto', {}, { kind: 'none' }],
    ['a path of the settings', '/tmp/x.sock', HANDED_OVER, { kind: 'path', path: '/tmp/x.sock' }],
    ['off', 'off', HANDED_OVER, { kind: 'none' }],
  ];
  for (const [name, setting, env, expected] of cases)
    it(name, () => assert.deepEqual(controlAddress(setting, env, 42), expected));

  it('whoever asks tries the same places', () => {
    assert.deepEqual(addressesToTry('/tmp/x.sock', {}), ['/tmp/x.sock']);
    assert.deepEqual(addressesToTry('auto', { XDG_RUNTIME_DIR: '/run/user/1000' }), [
      '/run/dunebugger-remote.sock',
      '/run/dunebugger-remote/control.sock',
      '/run/user/1000/dunebugger-remote.sock',
    ]);
  });
});
