/** No internet: the reasons of an offline verdict, and the outage itself. */
import type { OfflineReason } from '../../workers/protocol.js';
import type { LineTrouble, Trouble } from './types.js';

/** What the kernel says is believed when it has held for 0.3 s (`workers/probe/link-state.ts`). */
const LINK_HOLD_MS = 300;
/** A failed check is confirmed by another, begun 1 s after it at the earliest (`internet-monitor/options.ts`). */
const CONFIRM_MS = 1_000;

/** Explains every reason: whatever is wrong, there is a way round it. */
export const UPLINK: Readonly<Record<'wrong-uplink', Trouble>> = {
  'wrong-uplink': {
    severity: 'warn',
    title: 'another interface has internet',
    meaning:
      'the interface that carries has no internet, and one that stands by has: a verified TLS handshake was made over it',
    remedy:
      '`sudo nmcli device disconnect NAME` (without NetworkManager: `sudo ip route del default dev NAME`) lets the other one carry; for good, give the connection of NAME the higher `ipv4.route-metric`',
    makesIrrelevant: ['no-link'],
    tellAfterMs: CONFIRM_MS,
    lines: ['… has internet, and …, which carries, has none: …'],
  },
};

/**
 * In the order of blame of `workers/verdict.ts`: what needs no packet comes first, then a foreign certificate or a wrong
 * clock, then the names, then the proxy and the other steps of a connection. Each row names the next one, the last one the outage.
 */
export const OFFLINE: Readonly<Record<OfflineReason, Trouble>> = {
  'no-link': {
    severity: 'warn',
    title: 'no network link',
    meaning: 'no interface is up and has a carrier',
    remedy: 'Look at the cable, the access point and its password: `ip link`, `nmcli device`',
    makesIrrelevant: ['no-route'],
    tellAfterMs: LINK_HOLD_MS,
    lines: [],
  },
  'no-route': {
    severity: 'warn',
    title: 'no address or no route',
    meaning: 'there is a link, but no address or no way out',
    remedy:
      'The network gave this machine no address or no way out; look at its DHCP server, the router: `ip address`, `ip route`',
    makesIrrelevant: ['portal', 'no-ca-store', 'clock'],
    tellAfterMs: LINK_HOLD_MS,
    lines: [],
  },
  portal: {
    severity: 'warn',
    title: 'captive portal or foreign certificate',
    meaning:
      "somebody else's certificate, or over plain HTTP somebody else's page: a captive portal, a hijacked name, an intercepting proxy",
    remedy:
      'Somebody else answers in place of the test site: log in to the Wi-Fi with a browser, or ask whoever runs the network to let this device through; a proxy of a company that looks into TLS has its authority in `[Network] caFile`',
    makesIrrelevant: ['dns-timeout'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'no-ca-store': {
    severity: 'warn',
    title: 'no store of certificates here',
    meaning: 'nobody vouches for the certificate of the site, and this system has no store of certificates that could',
    remedy:
      '`sudo apt install ca-certificates`, then `sudo systemctl restart dunebugger-remote`; for an authority of the house see `[Network] caFile`',
    makesIrrelevant: ['dns-timeout'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  clock: {
    severity: 'warn',
    title: 'the clock of this machine is wrong',
    meaning: "the certificate is not valid at this machine's time, and the clock is the likelier culprit",
    remedy:
      'Set it: `timedatectl` shows it, `systemd-timesyncd` sets it from the network (NTP, UDP port 123), and a Pi without a clock battery forgets it when it is off',
    makesIrrelevant: ['dns-timeout', 'url-expired', 'clock-untrusted'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'dns-timeout': {
    severity: 'warn',
    title: 'name server silent',
    meaning: 'no name server answered, and the last address that worked does not either',
    remedy: 'The line or the name server is dead; look at the router and at `/etc/resolv.conf`',
    makesIrrelevant: ['dns-failed'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'dns-failed': {
    severity: 'warn',
    title: 'name server knows no address',
    meaning: 'a name server answered, but not with an address',
    remedy:
      'The name server answers, but not with an address; look at `[Websocket] testDomain`, and at the router if the name is right',
    makesIrrelevant: ['proxy'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  proxy: {
    severity: 'warn',
    title: 'the proxy opens no way',
    meaning:
      'the proxy of `[Network] httpsProxy` or `HTTPS_PROXY` is not there, or lets nothing through; how, is in the line',
    remedy: 'Look at the proxy, and at `[Network] httpsProxy`',
    makesIrrelevant: ['tcp-timeout', 'tcp-refused'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'tcp-timeout': {
    severity: 'warn',
    title: 'test site does not answer',
    meaning: "names resolve, but the site's address does not answer",
    remedy: 'Names resolve, but nothing comes back: a dead line, or a firewall that drops port 443',
    makesIrrelevant: ['tls-failed'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'tcp-refused': {
    severity: 'warn',
    title: 'test site refuses connections',
    meaning: 'the connection is refused',
    remedy: 'The test site or a firewall refuses port 443; try it from another network',
    makesIrrelevant: ['tls-failed'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'tls-failed': {
    severity: 'warn',
    title: 'TLS handshake failed',
    meaning: 'the TLS handshake failed in another way, or did not end',
    remedy:
      'An expired certificate of the test site, a proxy in between, or a line that loses large packets; compare from another network',
    makesIrrelevant: ['http-timeout'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
  'http-timeout': {
    severity: 'warn',
    title: 'test site sends no answer',
    meaning: 'the connection stands, but no HTTP answer comes',
    remedy: 'The connection stands, but no answer comes: an overloaded line, or a trouble of the test site itself',
    makesIrrelevant: ['no-internet'],
    tellAfterMs: CONFIRM_MS,
    lines: [],
  },
};

/** Where small packets come through. */
export const LINE: Readonly<Record<LineTrouble, Trouble>> = {
  'large-packets-lost': {
    severity: 'warn',
    title: 'large packets lost on the way out',
    meaning:
      'what is larger than some size never arrives, and nobody says so: a line behind PPPoE, WireGuard or LTE, and a firewall that swallows the message (ICMP)',
    remedy:
      '`sudo ip link set dev DEVICE mtu 1280` until the next boot (`nmcli connection modify NAME 802-3-ethernet.mtu 1280` or `802-11-wireless.mtu` for good), or have the router clamp the MSS',
    makesIrrelevant: [
      'tls-failed',
      'http-timeout',
      'sign-in-unanswered',
      'cloud-failed',
      'cloud-lost',
      'cloud-interrupted',
    ],
    tellAfterMs: 0,
    lines: [
      'Large packets are lost on the way out (…). …',
      'What is sent to … is lost on its way, although the connection opened (large packets that are swallowed?); …',
    ],
  },
};

/** What an outage does to the connection, whatever the reason; and what only looks like one. */
export const OUTAGE: Readonly<Record<'no-internet' | 'test-site-down', Trouble>> = {
  'no-internet': {
    severity: 'warn',
    title: 'no internet',
    meaning: 'the cloud connection is closed, and nothing is tried until the internet is back',
    remedy: 'Look at the reason that the line names',
    makesIrrelevant: [
      'test-site-down',
      'cloud-interrupted',
      'cloud-lost',
      'cloud-failed',
      'cloud-throttled',
      'cloud-busy',
      'sign-in-unanswered',
      'sign-in-refused',
      'url-refused',
      'cloud-message-dropped',
    ],
    tellAfterMs: LINK_HOLD_MS,
    lines: [
      'Internet lost (…): closed the cloud connection; …',
      'No internet at start (…): the cloud connection is not tried',
    ],
  },
  'test-site-down': {
    severity: 'warn',
    title: 'test site down, internet there',
    meaning:
      'the test site fails, but the cloud connection answers or another host shows its certificate: the verdict stays online',
    remedy:
      'Tell whoever runs the site, or name another one in `[Websocket] testDomain`; several can be listed, separated by commas',
    makesIrrelevant: [],
    tellAfterMs: CONFIRM_MS,
    lines: [
      'The internet is there; the test site is not: …. The verdict stays, as …; the site is asked with every check. …',
    ],
  },
};
