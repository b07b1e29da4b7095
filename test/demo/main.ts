/**
 * `npm run demo`: the real daemon in a process of its own, a cloud around it that can be broken, and what is seen of both.
 * Exit codes: 0 everything happened, 1 something did not, 130 stopped by Ctrl-C.
 */
import { Paper, type Row } from './paper.js';
import { PATIENCE, scenesOf, type Scene } from './scenes.js';
import { World } from './world.js';

const EXIT_NOT_EVERYTHING = 1;
const EXIT_INTERRUPTED = 130;

const { stdout } = process;
// Whoever reads may leave early (`| head`); the outcome is the exit code all the same.
stdout.on('error', () => undefined);
const paper = new Paper({
  write: (text) => void stdout.write(text),
  columns: stdout.isTTY ? stdout.columns : undefined,
  colour: stdout.isTTY && stdout.hasColors() && (process.env['NO_COLOR'] ?? '') === '',
});

async function main(): Promise<number> {
  const startedAtMs = performance.now();
  paper.heading('DuneBugger Remote: a demonstration');
  paper.say(
    'The daemon runs as a process of its own, exactly as on a Raspberry Pi. Around it, on this machine alone: a site that proves ' +
      'the internet, a name server, the cloud (Web PubSub), Auth0, and a browser in the same group. The internet will be broken and ' +
      'repaired a few times; that takes about 40 seconds.',
  );
  paper.say('What begins with | is the demonstration, what begins with >> happens around the daemon;');
  paper.say('everything else is the log of the daemon itself.');

  const interruption = new AbortController();
  const interrupted = new Promise<typeof EXIT_INTERRUPTED>((resolve) => {
    const onSignal = (): void => {
      if (!interruption.signal.aborted) paper.say('Interrupted: cleaning up');
      interruption.abort();
      resolve(EXIT_INTERRUPTED);
    };
    // Left in place to the end, so that nobody's impatience leaves processes and files behind; cleaning up takes a second.
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  });
  const world = await World.start(paper);
  const onExit = (): void => world.killProcesses();
  process.once('exit', onExit);
  try {
    return await Promise.race([perform(world, interruption.signal, startedAtMs), interrupted]);
  } finally {
    await world.stop();
    process.removeListener('exit', onExit);
  }
}

/** All scenes, then the summary. Resolves with the exit code; when interrupted, with whatever. */
async function perform(world: World, interruption: AbortSignal, startedAtMs: number): Promise<number> {
  if (world.bus === undefined) {
    paper.say(
      'nats-server is not installed here, so the local bus with core and scheduler is left out: commands to them and their states ' +
        'are not shown. (On Debian: apt install nats-server)',
    );
  }
  const scenes = scenesOf(world);
  const rows = new Map<Scene, readonly Row[]>();
  let failed = false;
  for (const [index, scene] of scenes.entries()) {
    if (failed) {
      rows.set(scene, notReached(scene));
      continue;
    }
    paper.heading(`${index + 1} of ${scenes.length}: ${scene.title}`);
    paper.say(scene.words);
    const outcome = await play(index === 0 ? scene : afterReading(world, scene), interruption);
    if (interruption.aborted) return EXIT_INTERRUPTED;
    rows.set(scene, outcome);
    failed = outcome.some((row) => row.outcome !== 'yes');
  }
  summary(rows, performance.now() - startedAtMs);
  return failed ? EXIT_NOT_EVERYTHING : 0;
}

/** Time to read what has been and what is coming, at the daemon's own pace: its next check, within a second. */
function afterReading(world: World, scene: Scene): Scene {
  const pause = {
    kind: 'pause',
    what: 'the daemon goes on checking',
    run: () => world.moreChecks(1, PATIENCE),
  } as const;
  return { ...scene, steps: [pause, ...scene.steps] };
}

/** Up to the first thing that is not seen: what follows it would mean nothing. */
async function play(scene: Scene, interruption: AbortSignal): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let broken = false;
  for (const { kind, what, run } of scene.steps) {
    if (broken) {
      if (kind === 'see') rows.push({ what, outcome: 'not reached' });
      continue;
    }
    if (kind === 'act') paper.event('now', what);
    try {
      const detail = (await run()) as string | undefined;
      if (kind === 'see') rows.push({ what, outcome: 'yes', ...(detail === undefined ? {} : { detail }) });
    } catch (error) {
      // Cleaning up makes every wait fail; that is no news.
      if (interruption.aborted) return [];
      broken = true;
      const detail = error instanceof Error ? error.message : String(error);
      rows.push({ what, outcome: 'NO', detail });
      paper.say(`NOT SEEN: ${what}: ${detail}`);
    }
  }
  return rows;
}

function notReached(scene: Scene): Row[] {
  return scene.steps.flatMap(({ kind, what }) => (kind === 'see' ? [{ what, outcome: 'not reached' } as const] : []));
}

function summary(rows: ReadonlyMap<Scene, readonly Row[]>, ms: number): void {
  paper.heading('What should have happened, and did it');
  for (const [scene, outcomes] of rows) {
    paper.say(scene.title);
    paper.table(outcomes);
  }
  const all = [...rows.values()].flat();
  const seen = all.filter(({ outcome }) => outcome === 'yes').length;
  paper.blank();
  paper.say(`${seen} of ${all.length} things happened as they should, in ${Math.round(ms / 1_000)} s.`);
}

process.exitCode = await main();
