/** This program and its place. STOPPING keeps the service from its work; REMARKS do not. */
import type { OwnTrouble, Trouble } from './types.js';

type Stopping = 'configuration-wrong' | 'uncaught-error' | 'system-refuses' | 'checks-failed' | 'not-healthy';

export const STOPPING: Readonly<Record<Stopping, Trouble>> = {
  'configuration-wrong': {
    severity: 'error',
    title: 'wrong configuration',
    meaning: 'the line names file, section, key and what is allowed; at a start the service ends with exit code 78',
    remedy: 'Correct everything that these lines name, then `systemctl restart dunebugger-remote`',
    makesIrrelevant: ['reload-refused'],
    tellAfterMs: 0,
    lines: ['Configuration: …'],
  },
  'uncaught-error': {
    severity: 'error',
    title: 'an error nobody caught',
    meaning: 'a bug; the service ends, and systemd starts it again',
    remedy: 'Report it, with the lines around it',
    makesIrrelevant: ['stop-late'],
    tellAfterMs: 0,
    lines: [
      'An error nobody caught: stopping; as a service, systemd starts this again',
      'Another error nobody caught, while stopping: ending at once',
    ],
  },
  'system-refuses': {
    severity: 'warn',
    title: 'the system refuses what this service needs',
    meaning:
      'no file handle, memory, process or thread is left, or a sandbox forbids it; that says nothing about the internet, so the last verdict stands and the connection is left alone',
    remedy:
      'Look at what the line names: `systemctl show dunebugger-remote -p LimitNOFILE,TasksMax,MemoryMax,RestrictAddressFamilies`, `free`, `cat /proc/sys/fs/file-nr`',
    makesIrrelevant: ['checks-failed', 'ip-monitor-ended', 'notify-failed'],
    tellAfterMs: 0,
    lines: [
      'The system refuses what the internet checks need (…): no verdict comes of them, the last one stands, and the cloud connection is left alone',
      'The system refuses the thread of the internet checks (…); the last verdict stands, and it is tried again until there is one',
      'The system refuses what the cloud connection needs (…); nobody was asked, and it is tried again until it can be opened',
      'The system refuses the questions about the clock (…): what the scheduler was told last stands for 10 min',
      'The system refuses a look at the network links (…), so their changes are noticed at the next check',
      'The system refused a call, and nobody waited for its answer; the service goes on',
    ],
  },
  'checks-failed': {
    severity: 'warn',
    title: 'the internet checks failed',
    meaning: 'their thread ended or hung and is replaced by itself; the last verdict stands meanwhile',
    remedy: 'Only if it goes on: `systemctl restart dunebugger-remote`, and report it',
    makesIrrelevant: ['not-healthy'],
    tellAfterMs: 0,
    lines: ['The worker thread of the internet checks failed (…); the last verdict stands, a new one starts in … s'],
  },
  'not-healthy': {
    severity: 'error',
    title: 'not healthy',
    meaning: 'a part of the service does not work any more; systemd restarts it if it lasts',
    remedy: 'Nothing at first; if it comes again, report it',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['Not healthy: …; systemd restarts this service if it lasts'],
  },
};

export const REMARKS: Readonly<Record<Exclude<OwnTrouble, Stopping>, Trouble>> = {
  'reload-refused': {
    severity: 'error',
    title: 'not reloaded',
    meaning: 'the new configuration is wrong, so everything goes on with the one from before',
    remedy: 'Correct what the lines above it name, then `systemctl reload dunebugger-remote`',
    makesIrrelevant: ['reload-incomplete'],
    tellAfterMs: 0,
    lines: [
      'Not reloaded: everything goes on with the configuration from before; correct the above, then reload again',
    ],
  },
  'reload-incomplete': {
    severity: 'warn',
    title: 'a setting waits for a restart',
    meaning: 'the settings that the line names cannot change while the service runs',
    remedy: '`systemctl restart dunebugger-remote`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['Configuration reloaded, but … change… only with a restart: systemctl restart dunebugger-remote'],
  },
  'setting-unknown': {
    severity: 'warn',
    title: 'unknown setting',
    meaning: 'a section or key that does not exist, and has no effect',
    remedy: 'Correct or remove it; the line names the nearest one that exists',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['Configuration: … is unknown and ignored…'],
  },
  'setting-replaced': {
    severity: 'warn',
    title: 'setting not taken as it is',
    meaning:
      'an old conf has a value that the Python version took; it is out of bounds here, so the nearest that is allowed is used',
    remedy: 'Write what the line names, or another value that is allowed',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: [
      'Configuration: … is not allowed: give …; … is used',
      'Configuration: … stands in line … in another case; line … counts',
    ],
  },
  'setting-doubtful': {
    severity: 'warn',
    title: 'settings that do not fit together',
    meaning: 'each is allowed, but together they hardly do what is wanted; they are taken as they are',
    remedy: 'Change one of the two that the line names',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['Configuration: … is more than …: …'],
  },
  'ca-file-unusable': {
    severity: 'error',
    title: 'certificates of the house not read',
    meaning: 'the file that the line names has none, or cannot be read; what it was for is not trusted',
    remedy:
      'Put a PEM file where everybody may read it: `sudo install -m 644 ca.pem /etc/dunebugger-remote/ca.pem`, name it in `[Network] caFile`, then `systemctl restart dunebugger-remote`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['Certificates: …; going on with the others. The service runs as a user of its own and sees no /home'],
  },
  'tls-check-kept': {
    severity: 'warn',
    title: 'certificates are verified all the same',
    meaning:
      'somebody wanted to switch the verification off; nobody may read the passwords of the sign-in, so it stays on',
    remedy:
      'Take `NODE_TLS_REJECT_UNAUTHORIZED` out of the environment, and name the authority of the house in `[Network] caFile`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: [
      'NODE_TLS_REJECT_UNAUTHORIZED=0 has no effect here: passwords travel, so every certificate is verified; take it out, and name the authority of the house in [Network] caFile',
    ],
  },
  'no-ip-command': {
    severity: 'warn',
    title: 'no ip command',
    meaning: 'link changes are noticed at the next check, some seconds later',
    remedy: '`apt install iproute2`',
    makesIrrelevant: ['ip-monitor-ended'],
    tellAfterMs: 0,
    lines: ['No `ip` command here (Debian: iproute2), so link changes are noticed at the next check'],
  },
  'ip-monitor-ended': {
    severity: 'warn',
    title: 'ip monitor ended',
    meaning: 'link changes are noticed at the next check until it runs again',
    remedy: 'Nothing: it is started again by itself; if it goes on, look at the error in the line',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['`ip monitor` ended, so link changes are noticed at the next check until it runs again'],
  },
  'notify-failed': {
    severity: 'warn',
    title: 'systemd not notified',
    meaning: 'systemd does not learn that the service lives, and may take it for dead',
    remedy: 'The line says why; in a unit of your own: is `systemd-notify` installed, and NotifyAccess=all set?',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['Could not notify systemd (…), which takes this service for dead if it lasts; tried again within … s'],
  },
  'url-not-kept': {
    severity: 'warn',
    title: 'client access URL not kept',
    meaning: 'the disk is full or read-only, so a restart or a reboot signs in anew',
    remedy: 'Look at the error in the line, at `df /var/lib` and at the card; or set `[Auth] keepAccessUrl = False`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['The client access URL could not be kept for the next start; until it can be, each start signs in anew'],
  },
  'control-socket-failed': {
    severity: 'warn',
    title: 'no control socket',
    meaning: '`dunebugger-remote status` cannot ask this service; everything else goes on',
    remedy: 'The line has the reason; `[Status] controlSocket` says where the socket is to be, `off` does without',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['No control socket, so `dunebugger-remote status` cannot ask this service; everything else goes on.'],
  },
  'status-page-failed': {
    severity: 'warn',
    title: 'no status page',
    meaning: 'the page cannot be opened in a browser, nor metrics be read; everything else goes on',
    remedy:
      'The line has the reason; if another program has the port, give another one: `[Status] statusPort`, then `systemctl restart dunebugger-remote`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['No status page on port … (…); everything else goes on.'],
  },
  'history-not-written': {
    severity: 'warn',
    title: 'history not written',
    meaning: 'the card is full, read-only or broken; outages are kept in memory, and lost if the power goes',
    remedy:
      'Look at the error in the line, at `df /var/lib` and at `dmesg`; a card that has become read-only is at its end',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['The history cannot be written; it is kept in memory, and tried again every 10 min.'],
  },
  'verdict-not-written': {
    severity: 'warn',
    title: 'the file of the verdict cannot be written',
    meaning:
      'what waits for its changes (a `.path` unit) is not started; everything else goes on, and it is tried again each minute',
    remedy: 'Look at the code in the line, and at `df /run` and `ls -ld /run/dunebugger-remote`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['The verdict could not be written to its file, so nothing that waits for its changes is started (…)'],
  },
  'listener-blocks': {
    severity: 'warn',
    title: 'a listener blocks',
    meaning:
      'what was called on a change of the verdict kept everything else waiting: in a program that uses the monitor as a library for more than 100 ms, in this service for more than 1 s',
    remedy:
      'In a program of your own: move long work out of the listener. Here: look at the load of the machine; report it if it goes on',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['A … listener blocked everything else for … ms'],
  },
  'log-lost': {
    severity: 'warn',
    title: 'lines of the log lost',
    meaning: 'nobody read them in time; the service did not wait',
    remedy: 'Look at the load of the machine, and at `systemd-journald`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['… lines of the log are lost: nobody read them in time'],
  },
  'stop-late': {
    severity: 'warn',
    title: 'not stopped in time',
    meaning: 'something did not end within its deadline; the service ended without it',
    remedy: 'Nothing, unless it comes every time: then report it',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: [
      'Not everything stopped in time: ending without waiting',
      'The cloud connection did not close in time; stopping without waiting for it',
      'Closing an old cloud connection failed; going on without it',
    ],
  },
  bug: {
    severity: 'error',
    title: 'a bug that was caught',
    meaning: 'a part of the service failed at one event, and goes on with the next',
    remedy: 'Report it, with the line and its fields',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: [
      'Unexpected error in the cloud connection',
      'A listener of the connection threw; the connection goes on. This is a bug worth reporting',
      'A listener of link changes failed; report this as a bug',
      'A message of the bus could not be handled; the next one is.',
      'A question to this service could not be answered; the next one is.',
    ],
  },
  'clock-far-off': {
    severity: 'warn',
    title: 'the clock is wrong by more than a day',
    meaning:
      'the test site says another day than this machine; times in the journal are wrong, and a certificate may count as not valid',
    remedy:
      'Look at `timedatectl`; let `systemd-timesyncd` reach an NTP server (UDP port 123), or set the clock by `timedatectl set-time`',
    makesIrrelevant: ['clock-untrusted'],
    tellAfterMs: 0,
    lines: [
      'The clock of this machine is … compared with the test site: dates are wrong until it is set. Said once a day at most.',
    ],
  },
  'clock-untrusted': {
    severity: 'warn',
    title: 'the clock cannot be trusted',
    meaning: 'no time server has set the clock of this machine; the scheduler is told so and skips its actions',
    remedy:
      'Look at `timedatectl`; let `systemd-timesyncd` reach an NTP server (UDP port 123), or set `[NTP] ntpServers`',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['The clock cannot be trusted: the scheduler is told so, and skips its actions.'],
  },
  'clock-set': {
    severity: 'warn',
    title: 'the clock was set while running',
    meaning: 'the times in the journal before it are wrong; durations are right',
    remedy: 'Nothing: a Pi without a clock battery has its clock set at each start',
    makesIrrelevant: [],
    tellAfterMs: 0,
    lines: ['The system clock was set while running; durations here do not depend on it.'],
  },
};
