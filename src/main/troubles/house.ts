/** The installation: the bus, the components, and what comes from browsers. From the cause to what follows from it. */
import type { HouseTrouble, Trouble } from './types.js';

export const HOUSE: Readonly<Record<HouseTrouble, Trouble>> = {
  'bus-misconfigured': {
    severity: 'error',
    title: 'bus not usable as configured',
    meaning: 'the server, our name or the root of the subjects is not one that NATS knows',
    remedy: 'Correct `[MessageQueue]` as the line says, then `systemctl restart dunebugger-remote`',
    makesIrrelevant: ['bus-away'],
    tellAfterMs: 0,
    lines: [
      'An entry of mQueueServers is no NATS server (nats://host:port); it is left out.',
      'mQueueClientID and mQueueSubjectRoot may hold no blank, no dot, no * and no >; the bus stays away.',
      'No usable server in mQueueServers: the components cannot be reached until it is corrected.',
    ],
  },
  'bus-away': {
    severity: 'warn',
    title: 'the bus is not there',
    meaning: 'no NATS server answers; core and scheduler cannot be reached',
    remedy: 'Look at `nats-server` and at `[MessageQueue] mQueueServers`; it is tried again by itself',
    makesIrrelevant: ['bus-denied', 'component-away'],
    tellAfterMs: 0,
    lines: ['The bus is not there; it is tried again for ever, commands from browsers are dropped meanwhile.'],
  },
  'bus-denied': {
    severity: 'error',
    title: 'the bus does not let us listen',
    meaning: 'the NATS server has permissions that keep us from our subjects',
    remedy: 'Allow this client `ROOT.CLIENT.*` of `[MessageQueue]` in the configuration of `nats-server`',
    makesIrrelevant: ['component-away'],
    tellAfterMs: 0,
    lines: ['The NATS server does not let this client listen; look at its permissions.'],
  },
  'component-away': {
    severity: 'warn',
    title: 'a component does not respond',
    meaning: 'core or scheduler sent nothing at all for 45 s',
    remedy: "Look at that component's own journal",
    makesIrrelevant: ['command-dropped'],
    // ALIVE_FOR_MS of remote/component-watch.ts.
    tellAfterMs: 45_000,
    lines: ['A component does not respond; it is asked again and again.'],
  },
  'command-dropped': {
    severity: 'warn',
    title: 'command from a browser dropped',
    meaning:
      'the bus did not take it; it is not kept, since a late command must not move anything; the browser is told',
    remedy: 'Look at the reason in the line, then press the button again',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['A command from a browser was dropped: ….'],
  },
  'command-late': {
    severity: 'warn',
    title: 'command from a browser too late',
    meaning:
      'it was sent while the connection was away for longer than `staleCommandSecs`, so it moves nothing; the browser is told',
    remedy: 'Press the button again; `[Websocket] staleCommandSecs` says how late is too late',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['A command from a browser came too late to be carried out: it was sent while the connection was away.'],
  },
  'update-failed': {
    severity: 'warn',
    title: 'update of a component failed',
    meaning:
      "the host's update coordinator said so, or said nothing for 15 min; browsers are told, with what its script printed",
    remedy: 'Look at the field `reason`, and at `journalctl -u dunebugger-update-coordinator`',
    makesIrrelevant: [],
    // FOLLOW_MS of remote/updates/updates.ts is the most; a failure that is told is told at once.
    tellAfterMs: 0,
    lines: ['An update of a component failed.'],
  },
  'second-remote': {
    severity: 'error',
    title: 'another controller in the group or on the bus',
    meaning:
      'a second remote, such as the old container, or another Pi has the same group or bus, so commands may be carried out twice',
    remedy:
      'On this Pi: `sudo dunebugger-remote migrate` shows how the old container goes, `--apply` does it; otherwise give the other machine a `WS_GROUP_NAME`, and a bus or `mQueueSubjectRoot`, of its own',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: [
      'Another controller speaks in this group, so commands may be carried out twice. …',
      'Another controller is on this bus, so commands may be carried out twice. …',
    ],
  },
  'group-flood': {
    severity: 'warn',
    title: 'flood of messages from the group',
    meaning: 'more messages come than are let through; the rest is dropped and counted',
    remedy: 'Find who sends them; if they are meant, raise `[Websocket] rateLimitPerSec` and `rateLimitBurst`',
    makesIrrelevant: ['group-malformed'],
    tellAfterMs: 0,
    lines: [
      'More messages from the group than are let through; the rest is dropped and counted.',
      'The flood of messages from the group is over.',
    ],
  },
  'group-malformed': {
    severity: 'warn',
    title: 'malformed message of the group',
    meaning: 'somebody in the group sent what no front end sends; it did not reach the bus',
    remedy: 'Look at the field `reason`, and at who has a token for the group',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['A malformed message of the group was dropped.'],
  },
  'bus-malformed': {
    severity: 'warn',
    title: 'message of the bus not understood',
    meaning: 'a component sent what is not known here; browsers did not get it',
    remedy: 'Look at the field `subject`: do the versions of the components fit together?',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: [
      'A component said something to this daemon that it does not know; ignored.',
      'A malformed message of the bus was dropped.',
    ],
  },
  'system-info-failed': {
    severity: 'warn',
    title: 'system information not collected',
    meaning: 'browsers keep what they have until the next request',
    remedy: 'Look at the error in the line; report it if it goes on',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['The system information could not be collected; browsers keep what they have until the next request.'],
  },
};
