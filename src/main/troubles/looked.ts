/** What only `doctor` looks for, since it costs packets or other people's files. NEAR can explain an outage; REMARKED do not. */
import type { NearTrouble, RemarkedTrouble, Trouble } from './types.js';

const LOOKED = { tellAfterMs: 0, lines: [] } as const;

export const NEAR: Readonly<Record<NearTrouble, Trouble>> = {
  'power-weak': {
    severity: 'warn',
    title: 'the power supply is too weak',
    meaning: 'the Pi has less than 4.63 V now, or had it since its start: sticks drop off the USB, the card takes harm',
    remedy: 'Use the power supply that is made for this Pi (5.1 V), a short thick cable, a powered hub for USB sticks',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'wifi-weak': {
    severity: 'warn',
    title: 'the Wi-Fi is weak here',
    meaning: 'below -75 dBm packets are lost, and the access point may lose sight of this machine',
    remedy: 'Move the Pi or the access point, add a repeater, or lay a cable',
    makesIrrelevant: ['router-silent', 'line-lossy'],
    ...LOOKED,
  },
  'router-silent': {
    severity: 'error',
    title: 'the router does not answer',
    meaning: 'there is a route by way of it, but it answers neither the kernel nor a ping nor a connection',
    remedy:
      'Restart the router; if others reach it, look at the cable, the Wi-Fi and the address: `ip neigh`, `ip route`',
    makesIrrelevant: ['dns-timeout', 'tcp-timeout'],
    ...LOOKED,
  },
  'line-lossy': {
    severity: 'warn',
    title: 'the line loses packets',
    meaning: 'what is lost is sent again, a second later and more; checks pass, but take long',
    remedy:
      'Wi-Fi: move nearer or use a cable; otherwise tell the provider. `[Websocket] failuresToOffline = 3` bears more of it',
    makesIrrelevant: ['dns-timeout', 'test-site-down', 'sign-in-unanswered', 'cloud-failed'],
    ...LOOKED,
  },
};

export const REMARKED: Readonly<Record<RemarkedTrouble, Trouble>> = {
  'conf-hidden': {
    severity: 'error',
    title: 'the service may not read a file',
    meaning: 'it runs as a user of its own, so everybody must be able to read its conf and its certificates',
    remedy: 'Let everybody read it: `sudo chmod a+r FILE`, and `sudo chmod a+x` for the folders above it',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'secrets-exposed': {
    severity: 'warn',
    title: 'others may read the secrets',
    meaning: 'a file with the secrets of the sign-in is readable by every user of this machine',
    remedy: '`sudo chown root:root FILE`, `sudo chmod 600 FILE`; the service gets it from systemd',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'unit-disabled': {
    severity: 'warn',
    title: 'the service is not started at boot',
    meaning: 'it runs now, but not after the next start of this machine',
    remedy: '`sudo systemctl enable dunebugger-remote`',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'unit-restarts': {
    severity: 'warn',
    title: 'the service was restarted by systemd',
    meaning: 'it ended by an error, by the watchdog or for want of memory since it was started last',
    remedy: '`journalctl -u dunebugger-remote -p warning` says why it ended; report it if that is a bug',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'unit-outdated': {
    severity: 'warn',
    title: 'systemd has an older unit in mind',
    meaning: 'the unit or a drop-in was changed, and systemd has not read it again',
    remedy: '`sudo systemctl daemon-reload`, then `sudo systemctl restart dunebugger-remote`',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'family-broken': {
    severity: 'warn',
    title: 'one of IPv4 and IPv6 leads nowhere',
    meaning: 'there is an address and a route, but nothing comes back; the other one carries',
    remedy:
      'Look at the router: it gives out a network that it has no way to; or switch that one off: `nmcli connection modify NAME ipv6.method disabled`',
    makesIrrelevant: ['name-server-missing'],
    ...LOOKED,
  },
  'name-server-missing': {
    severity: 'warn',
    title: 'one of the name servers does not serve',
    meaning: 'another one does, so names are found, but later than they could be',
    remedy:
      'Take it out of the list: in the router, `nmcli connection modify NAME ipv4.dns`, or `[Websocket] nameServers`',
    makesIrrelevant: ['name-server-slow'],
    ...LOOKED,
  },
  'name-server-slow': {
    severity: 'warn',
    title: 'the name server is slow',
    meaning: 'it takes more than 500 ms for a name, although packets are quick',
    remedy: 'Restart the router, or name another server: `nmcli connection modify NAME ipv4.dns 9.9.9.9`',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'mtu-small': {
    severity: 'warn',
    title: 'packets must be very small here',
    meaning: 'IPv6 wants 1280 bytes at least, and below 1000 there is hardly room for a certificate',
    remedy: 'Look at who set it: `ip link`; `sudo ip link set DEVICE mtu 1500`, or the settings of the tunnel or modem',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'line-slow': {
    severity: 'warn',
    title: 'the line is slow',
    meaning: 'a packet takes more than 300 ms there and back, so a check hardly fits into its time',
    remedy: 'For such a line: `[Websocket] connectionIntervalSecs = 10`, `connectionTimeoutSecs = 5`',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'too-hot': {
    severity: 'warn',
    title: 'the processor is too hot',
    meaning: 'from 80 °C on a Pi slows itself down',
    remedy: 'Give it air or a heat sink; `top` shows what keeps it busy',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'memory-short': {
    severity: 'warn',
    title: 'hardly any memory is left',
    meaning: 'the kernel slows programs down, and ends one of them when nothing is left',
    remedy: '`ps aux --sort=-rss` shows who has it: restart that, or this machine',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'disk-full': {
    severity: 'warn',
    title: 'the card is full',
    meaning: 'nothing can be kept: no history, no access URL, no journal, no update',
    remedy:
      '`df -h` shows which; `sudo apt clean`, `sudo journalctl --vacuum-size=50M`, then remove what is not needed',
    makesIrrelevant: [],
    ...LOOKED,
  },
  'disk-read-only': {
    severity: 'warn',
    title: 'the card is read-only',
    meaning: 'nothing is kept over a restart; a card at its end, or one that lost its power, goes read-only by itself',
    remedy:
      'If it is not meant to be so, `sudo dmesg` says why: restart this machine once; if it comes again, replace the card',
    makesIrrelevant: [],
    ...LOOKED,
  },
};
