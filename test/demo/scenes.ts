/** What happens in the demo, in order, and what must be seen. Every wait is for an event, with a deadline. */
import type { World } from './world.js';

/** Deadline of everything that is awaited, milliseconds: far more than it takes, so that a slow machine shows the same. */
export const PATIENCE = { timeoutMs: 20_000 };

export type Step =
  /** Nothing is done; the scene goes on when it resolves. */
  | { readonly kind: 'pause'; readonly what: string; readonly run: () => Promise<unknown> }
  /** Something is done to the daemon's surroundings. */
  | { readonly kind: 'act'; readonly what: string; readonly run: () => unknown }
  /** Something must be seen; a row of the summary. Rejects if it is not; resolves with a detail worth telling. */
  | { readonly kind: 'see'; readonly what: string; readonly run: () => Promise<string | undefined> };

export interface Scene {
  readonly title: string;
  /** Told before it begins: what will happen, what to look for. */
  readonly words: string;
  readonly steps: readonly Step[];
}

export class NotSeenError extends Error {
  readonly code = 'ERR_NOT_SEEN';
}

export function scenesOf(world: World): readonly Scene[] {
  return [
    startOffline(world),
    firstConnection(world),
    messages(world),
    shortDrop(world),
    blackHole(world),
    portal(world),
    longOutage(world),
    ...(world.bus === undefined ? [] : [busRestart(world, world.bus)]),
    ending(world),
  ];
}

function startOffline(world: World): Scene {
  return {
    title: 'It starts without internet',
    words:
      'As a Raspberry Pi does that boots before its router: every packet vanishes. Look for a warning that says why, the promise ' +
      'to connect later, and no connection to anywhere meanwhile.',
    steps: [
      act('the internet: silent; the daemon starts', async () => {
        await world.breakInternet('silent');
        world.startDaemon();
      }),
      seeLine(world, 'it says that there is no internet, and why', /No internet at start \(name server silent\)/),
      seeLine(world, 'it says that it will connect later', /will be opened as soon as the internet is there/),
      keepsStill(world),
    ],
  };
}

function firstConnection(world: World): Scene {
  return {
    title: 'The internet is there',
    words:
      'Look for the wait until it has settled (3 s), signing in, the connection; then for what the browser ' +
      'gets: the question who is there, and what this machine is.',
    steps: [
      act('the internet: repaired', () => world.repairInternet()),
      seeLine(world, 'it notices, and waits for the internet to settle', /Internet is back: waiting 3 s/),
      seeLine(world, 'it connects', /Connected to the cloud/),
      see('it has signed in once', () => {
        const { token, userinfo } = world.auth0.calls;
        return demand(token === 1 && userinfo === 1, `calls to Auth0: ${token} for a token, ${userinfo} for the user`);
      }),
      see('the browser gets the announcement', async () => {
        await world.browserGets('heartbeat', (body) => body === 'Is anyone there?', 0);
        await world.browserGets('system_info', () => true, 0);
        return undefined;
      }),
    ],
  };
}

function messages(world: World): Scene {
  const { bus, browser } = world;
  let since = 0;
  const answered = see('the browser asks for a heartbeat and gets it', async () => {
    since = browser.messages.length;
    await world.browserSends('controller.heartbeat', 'Are you there?');
    await world.browserGets('heartbeat', (body) => body === 'I am alive', since);
    return undefined;
  });
  if (bus === undefined) {
    return {
      title: 'Messages in both directions',
      words: 'A browser asks whether the device is alive, and what it is. Look for the answers.',
      steps: [
        answered,
        see('the browser asks for system_info and gets it', async () => {
          await world.browserSends('controller.system_info', '');
          await world.browserGets('system_info', () => true, since);
          return undefined;
        }),
      ],
    };
  }
  return {
    title: 'Messages in both directions',
    words:
      'A browser asks whether the device is alive, and sends core a command; core answers with its new state. ' +
      'Look for each message at the other end.',
    steps: [
      answered,
      see('a command reaches core over the local bus', async () => {
        await world.browserSends('core.dunebugger_set', 'light on');
        await bus.core.waitForCommand(({ body }) => body === 'light on', PATIENCE);
        return undefined;
      }),
      see('the state core publishes reaches the browser', async () => {
        since = browser.messages.length;
        world.coreSends('gpio_state', { light: 'on' });
        await world.browserGets('gpio_state', () => true, since);
        return undefined;
      }),
    ],
  };
}

function shortDrop(world: World): Scene {
  const { cloud, bus, browser } = world;
  let before = cloud.pubsub.counts;
  let since = 0;
  const sendThree = async (): Promise<void> => {
    since = browser.messages.length;
    for (const n of [1, 2, 3]) {
      if (bus === undefined) await world.browserSends('controller.heartbeat', `question ${n}`);
      else await world.browserSends('core.dunebugger_set', `dimmer ${n}`);
    }
  };
  return {
    title: 'The connection drops, the internet does not',
    words:
      'Only the WebSocket is cut and refused for a moment, while a browser sends three messages. Look for the connection being ' +
      'resumed rather than made anew, and for the three messages: none lost, none twice.',
    steps: [
      act('the connection: cut', () => {
        before = cloud.pubsub.counts;
        return cloud.gate.behave({ kind: 'refuse' });
      }),
      seeLine(
        world,
        'it tells a dropped connection from a lost internet',
        /interrupted .* although the internet is there/,
      ),
      act('a browser sends while the device is away', sendThree),
      see('it looks at the internet meanwhile, and stays online', async () => {
        await world.moreChecks(1, PATIENCE);
        return demand(!world.saidSinceSeen(/Internet lost/), '');
      }),
      act('the connection: possible again', () => cloud.gate.behave({ kind: 'open' })),
      seeLine(world, 'it resumes the connection', /Cloud connection resumed after .*; no message was lost/),
      see('the same session goes on, at the cloud', () => {
        const { recovered, connected } = cloud.pubsub.counts;
        return demand(
          recovered === before.recovered + 1 && connected === before.connected,
          `sessions resumed: ${recovered}`,
        );
      }),
      see('the three messages arrived, each once, in order', async () => {
        // One more, so that what should not come has had its time to come.
        if (bus === undefined) {
          await world.browserSends('controller.system_info', '');
          await world.browserGets('system_info', () => true, since);
          const answers = browser.messages.slice(since).filter(({ data }) => isAlive(data)).length;
          return demand(answers === 3, `${answers} answers to 3 questions`);
        }
        await world.browserSends('core.dunebugger_set', 'dimmer 4');
        await bus.core.waitForCommand(({ body }) => body === 'dimmer 4', PATIENCE);
        const got = bus.core.commands.map(({ body }) => String(body)).filter((body) => body.startsWith('dimmer'));
        return demand(got.join() === 'dimmer 1,dimmer 2,dimmer 3,dimmer 4', got.join(', '));
      }),
    ],
  };
}

function blackHole(world: World): Scene {
  const { bus, browser } = world;
  let since = 0;
  return {
    title: 'The internet goes silent',
    words:
      'Every packet vanishes, and nothing says so: no reset, no error. Look for the verdict with its reason, the connection closed ' +
      (bus === undefined
        ? 'at once, and no attempt while it lasts.'
        : 'at once, no attempt while it lasts, and what happened meanwhile being told afterwards.'),
    steps: [
      act('the internet: silent', () => world.breakInternet('silent')),
      seeLine(world, 'it notices the silence', /Internet lost \(name server silent\): closed the cloud connection/),
      ...(bus === undefined
        ? []
        : [
            act('core goes on, a browser sends', async () => {
              since = browser.messages.length;
              world.coreSends('gpio_state', { light: 'dim' });
              world.coreSends('gpio_state', { light: 'off' });
              await world.browserSends('core.dunebugger_set', 'light off');
            }),
          ]),
      keepsStill(world),
      act('the internet: repaired', () => world.repairInternet()),
      seeLine(world, 'it notices that the internet is back', /Internet is back: waiting/),
      seeLine(world, 'it goes on where it was', /Cloud connection resumed after|Connected to the cloud/),
      ...(bus === undefined
        ? []
        : [
            see('the command sent meanwhile reaches core', async () => {
              await bus.core.waitForCommand(({ body }) => body === 'light off', PATIENCE);
              return undefined;
            }),
            see("core's latest state reaches the browser, and only that one", async () => {
              await world.browserGets('gpio_state', (body) => JSON.stringify(body) === '{"light":"off"}', since);
              const states = browser.messages
                .slice(since)
                .filter(({ data }) => subjectOf(data) === 'gpio_state').length;
              return demand(states === 1, `states the browser got: ${states}`);
            }),
          ]),
    ],
  };
}

function portal(world: World): Scene {
  return {
    title: 'Somebody else answers',
    words:
      'A captive portal: names lead to it, and it shows its own certificate. It does answer, so a ping or a plain request would call this ' +
      'online. Look for the reason, and for no sign-in being sent to it.',
    steps: [
      act('the internet: a captive portal', () => world.breakInternet('portal')),
      seeLine(world, 'it is not taken in', /Internet lost \(captive portal or foreign certificate\)/),
      keepsStill(world),
      act('the internet: repaired', () => world.repairInternet()),
      seeLine(world, 'it is connected again', /Cloud connection resumed after|Connected to the cloud/),
    ],
  };
}

function longOutage(world: World): Scene {
  const { cloud, browser, auth0 } = world;
  let since = 0;
  return {
    title: 'A long outage',
    words:
      'Everything is refused, and for so long that the cloud forgets the session (after about a minute; here at once). Look for ' +
      'a fresh connection, the group joined again, the announcement repeated; and no second sign-in, since the first still holds.',
    steps: [
      act('the internet: refuses everything', () => world.breakInternet('refused')),
      seeLine(world, 'it notices', /Internet lost/),
      act('the cloud: forgets the session', () => {
        cloud.pubsub.forgetDroppedSessions();
        since = browser.messages.length;
      }),
      keepsStill(world),
      act('the internet: repaired', () => world.repairInternet()),
      seeLine(world, 'it connects anew', /Connected to the cloud/),
      see('it is in its group again', async () => {
        await cloud.pubsub.waitForMember(cloud.group, { userId: 'device', ...PATIENCE });
        return undefined;
      }),
      see('the announcement is repeated', async () => {
        await world.browserGets('heartbeat', (body) => body === 'Is anyone there?', since);
        return undefined;
      }),
      see('it has not signed in again', () => demand(auth0.calls.token === 1, `sign-ins in all: ${auth0.calls.token}`)),
    ],
  };
}

function busRestart(world: World, { server, core }: NonNullable<World['bus']>): Scene {
  return {
    title: 'The local bus dies and comes back',
    words:
      'nats-server is killed and started again. Look for a warning, a command that is dropped rather than kept (one that is minutes ' +
      'old must not move anything), and the bus being found again.',
    steps: [
      act('nats-server: killed', () => server.kill()),
      seeLine(world, 'it says that the bus is gone', / WARNING +The bus is not there/),
      act('a browser sends a command', () => world.browserSends('core.dunebugger_set', 'too late')),
      seeLine(world, 'it says that the command was dropped', / WARNING +A command from a browser was dropped/),
      act('nats-server: started again', () => server.start()),
      seeLine(world, 'it finds the bus again', / INFO +The bus is there/),
      see('commands reach core again, the old one does not', async () => {
        // Core has to be back as well before a command can reach it.
        await core.listening(PATIENCE);
        await world.browserSends('core.dunebugger_set', 'in time');
        await core.waitForCommand(({ body }) => body === 'in time', PATIENCE);
        return demand(!core.commands.some(({ body }) => body === 'too late'), '');
      }),
    ],
  };
}

function ending(world: World): Scene {
  const { cloud } = world;
  return {
    title: 'It is told to stop',
    words: 'SIGTERM, as systemd sends it. Look for a clean end.',
    steps: [
      act('the daemon: SIGTERM', () => {
        world.daemon.signal('SIGTERM');
      }),
      see('it ends cleanly, in less than 5 s', async () => {
        const startedAtMs = performance.now();
        const { code, signal } = await world.daemon.waitForExit(PATIENCE);
        const detail = `exit code ${signal ?? String(code)} after ${Math.round(performance.now() - startedAtMs)} ms`;
        return demand(code === 0, detail);
      }),
      see('it left no connection at the cloud, and never had two', async () => {
        await cloud.pubsub.waitForLive(0, { userId: 'device', ...PATIENCE });
        const most = cloud.pubsub.maxLiveConnections('device');
        return demand(most === 1, `${most} at the same time at most`);
      }),
      see('no password and no token is in its log', () => {
        const { stdout, stderr } = world.daemon;
        const shown = world.secrets.filter((secret) => `${stdout}${stderr}`.includes(secret)).length;
        return demand(
          shown === 0,
          shown === 0 ? `${world.daemon.lines.length} lines searched` : `secrets shown: ${shown}`,
        );
      }),
    ],
  };
}

function act(what: string, run: () => unknown): Step {
  return { kind: 'act', what, run };
}

function see(what: string, run: () => Promise<string | undefined>): Step {
  return { kind: 'see', what, run };
}

/** A line of the daemon, one that no earlier step of this kind has seen. */
function seeLine(world: World, what: string, fits: RegExp): Step {
  return see(what, async () => {
    await world.nextLine(fits, PATIENCE);
    return undefined;
  });
}

/** The daemon looks again and again, and opens no connection to the cloud or to Auth0. */
function keepsStill(world: World): Step {
  return see('it opens no connection while there is no internet', async () => {
    const before = world.connectionsOpened;
    const checks = await world.moreChecks(3, PATIENCE);
    return demand(
      world.connectionsOpened === before,
      `${world.connectionsOpened - before} opened, ${checks} checks later`,
    );
  });
}

/** As a promise, so that what is not so is a rejection. */
function demand(holds: boolean, detail: string): Promise<string | undefined> {
  if (!holds) return Promise.reject(new NotSeenError(detail));
  return Promise.resolve(detail === '' ? undefined : detail);
}

function subjectOf(data: unknown): unknown {
  return (data as { subject?: unknown }).subject;
}

function isAlive(data: unknown): boolean {
  return subjectOf(data) === 'heartbeat' && (data as { body?: unknown }).body === 'I am alive';
}
