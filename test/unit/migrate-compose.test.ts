/** Taking the old service out of a compose file, however it is laid out, without touching anything else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { readCompose, roleOf } from '../../src/main/cli/migrate/compose.js';
import { withoutRemote } from '../../src/main/cli/migrate/compose-edit.js';

function edited(text: string): string {
  const edit = withoutRemote(text);
  return edit.kind === 'edited' ? edit.text : assert.fail(JSON.stringify(edit));
}

describe('the old service in a compose file', () => {
  for (const [what, before, after] of [
    [
      'is cut out with its lines; comments, quotes and order of the rest stay',
      `# mine\nservices:\n  a:\n    image: "a"   # first\n\n  remote:\n    image: ghcr.io/x/dunebugger-remote:1\n    # inside\n    command: |\n      sh\n\n      -c\n\n  # of b\n  b: {image: 'b'}\n`,
      `# mine\nservices:\n  a:\n    image: "a"   # first\n\n  # of b\n  b: {image: 'b'}\n`,
    ],
    [
      'is the last one, without a newline at the end',
      `services:\n  a:\n    image: a\n  dunebugger-remote:\n    image: x`,
      `services:\n  a:\n    image: a\n`,
    ],
    [
      'is named by its container alone, in a depends_on that has others',
      `services:\n  cloud:\n    build: .\n    container_name: dunebugger-remote\n  s:\n    image: s\n    depends_on:\n    - cloud # for the clock\n    - nats\n  nats: {image: n}\n`,
      `services:\n  s:\n    image: s\n    depends_on:\n    - nats\n  nats: {image: n}\n`,
    ],
    [
      'stands in a flow list',
      `services:\n  remote: {image: x/dunebugger-remote}\n  s:\n    depends_on: [remote, nats]  # both\n    image: s\n  nats: {image: n}\n`,
      `services:\n  s:\n    depends_on: [nats]  # both\n    image: s\n  nats: {image: n}\n`,
    ],
    [
      'is alone in a flow list, which goes with it',
      `services:\n  remote:\n    image: x/dunebugger-remote\n  s:\n    depends_on: ["remote"]\n    image: s\n`,
      `services:\n  s:\n    image: s\n`,
    ],
    [
      'stands among conditions',
      `services:\n  s:\n    depends_on:\n      remote:\n        condition: service_healthy\n      nats: {condition: service_started}\n    image: s\n  nats: {image: n}\n  remote:\n    image: x/dunebugger-remote\n`,
      `services:\n  s:\n    depends_on:\n      nats: {condition: service_started}\n    image: s\n  nats: {image: n}\n`,
    ],
    [
      'is gone already, but the scheduler still waits for its container (Docker Compose refuses that)',
      `services:\n  scheduler:\n    image: x/dunebugger-scheduler\n    depends_on:\n      - dunebugger-remote\n`,
      `services:\n  scheduler:\n    image: x/dunebugger-scheduler\n`,
    ],
    [
      'has Windows line ends',
      'services:\r\n  remote:\r\n    image: x/dunebugger-remote\r\n  a:\r\n    image: a\r\n',
      'services:\r\n  a:\r\n    image: a\r\n',
    ],
  ] as const) {
    it(what, () => {
      assert.equal(edited(before), after);
      assert.deepEqual(withoutRemote(after), { kind: 'unchanged' }, 'and a second time there is nothing to do');
    });
  }

  it('is taken out of what has no lines to cut: written anew, and it says the same', () => {
    const before = `{services: {remote: {image: x/dunebugger-remote}, s: {image: s, depends_on: [remote, a]}, a: {image: a}}, name: pi}`;
    assert.deepEqual(parse(edited(before)), {
      services: { s: { image: 's', depends_on: ['a'] }, a: { image: 'a' } },
      name: 'pi',
    });
    const conditions = `services:\n  remote: {image: x/dunebugger-remote}\n  s: {image: s, depends_on: {remote: {condition: service_started}, a: {condition: service_started}}}\n  a: {image: a}\n`;
    assert.deepEqual(parse(edited(conditions)), {
      services: { s: { image: 's', depends_on: { a: { condition: 'service_started' } } }, a: { image: 'a' } },
    });
  });

  it('is the only one: an empty map is left, which is a compose file', () => {
    assert.deepEqual(parse(edited('services:\n  remote:\n    image: x/dunebugger-remote\nvolumes: {v: {}}\n')), {
      services: {},
      volumes: { v: {} },
    });
  });

  it('is never taken out by halves: what needs it otherwise makes it impossible', () => {
    for (const needs of [
      'links: [remote:r]',
      'volumes_from: ["remote:ro"]',
      'network_mode: "service:remote"',
      'extends: {service: remote}',
      'pid: service:remote',
    ]) {
      const edit = withoutRemote(
        `services:\n  remote:\n    image: x/dunebugger-remote\n  b:\n    image: b\n    ${needs}\n`,
      );
      assert.match(edit.kind === 'impossible' ? edit.why : edit.kind, /a service b that needs the old one by its `/);
    }
    const anchored = withoutRemote(
      'services:\n  remote: &r\n    image: x/dunebugger-remote\n  b:\n    <<: *r\n    image: b\n',
    );
    assert.equal(anchored.kind, 'impossible');
    for (const text of [
      '',
      'a: b',
      'services:',
      'services: []',
      '- a',
      'services: {a: b',
      'a: 1\n---\nb: 2\n',
      'services: *no\n',
    ]) {
      assert.equal(withoutRemote(text).kind, 'impossible', text);
    }
  });
});

describe('a service of a compose file', () => {
  it('is known by its image, its container or its name', () => {
    const role = (name?: string, image?: string, containerName?: string): string =>
      roleOf({ name, image, containerName });
    assert.equal(role('x', 'ilciclaio/dunebugger-remote:latest'), 'remote');
    assert.equal(role('x', 'localhost:5000/dunebugger-remote@sha256:00'), 'remote');
    assert.equal(role('x', 'y', 'dunebugger-remote'), 'remote');
    assert.equal(role('dunebugger-remote', 'y'), 'remote');
    assert.equal(role('remote'), 'remote', 'built on the Pi');
    assert.equal(role('remote', 'somebody/else'), 'other');
    assert.equal(role('x', 'ghcr.io/a/dunebugger-remote-tools'), 'other');
    assert.equal(role('scheduler', 'ghcr.io/a/dunebugger-scheduler:2'), 'scheduler');
  });

  it('says where its conf and its environment are, in the short forms and in the long ones', () => {
    const reading = readCompose(`services:
  short:
    image: x/dunebugger-remote
    volumes: ["/opt/a:/app/app/config:ro", "data:/data"]
    env_file: .env
    environment: [A=1, "B=x=y", C]
  long:
    image: x/dunebugger-remote
    volumes: [{type: bind, source: ./conf, target: /app/app/config}]
    env_file: [{path: a.env, required: false}, b.env]
    environment: {A: 1, B: true, C: null}
`);
    const [short, long] = reading.kind === 'services' ? reading.services : [];
    assert.deepEqual([short?.confFolder, long?.confFolder], ['/opt/a', './conf']);
    assert.deepEqual([short?.envFiles, long?.envFiles], [['.env'], ['a.env', 'b.env']]);
    assert.deepEqual(
      [...(short?.environment ?? [])],
      [
        ['A', '1'],
        ['B', 'x=y'],
        ['C', undefined],
      ],
    );
    assert.deepEqual(
      [...(long?.environment ?? [])],
      [
        ['A', '1'],
        ['B', 'true'],
        ['C', undefined],
      ],
    );
  });
});
