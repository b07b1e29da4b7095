/** Each reason of a verdict in plain words, and what to do about it. Pure. */
import type { OfflineReason } from '../workers/protocol.js';

const WORDS: Readonly<Record<OfflineReason, string>> = {
  'no-link': 'no network link',
  'no-route': 'no address or no route',
  'dns-timeout': 'name server silent',
  'dns-failed': 'name server knows no address',
  'tcp-timeout': 'test site does not answer',
  'tcp-refused': 'test site refuses connections',
  portal: 'captive portal or foreign certificate',
  clock: 'the clock of this machine is wrong',
  'tls-failed': 'TLS handshake failed',
  'http-timeout': 'test site sends no answer',
};

const ADVICE: Readonly<Record<OfflineReason, string>> = {
  'no-link': 'Look at the cable, the access point and its password: ip link, nmcli device',
  'no-route':
    'The network gave this machine no address or no way out; look at its DHCP server, the router: ip address, ip route',
  'dns-timeout': 'The line or the name server is dead; look at the router and at /etc/resolv.conf',
  'dns-failed':
    'The name server answers, but not with an address; look at [Websocket] testDomain, and at the router if the name is right',
  'tcp-timeout': 'Names resolve, but nothing comes back: a dead line, or a firewall that drops port 443',
  'tcp-refused': 'The test site or a firewall refuses port 443; try it from another network',
  portal:
    'Somebody else answers in place of the test site: log in to the Wi-Fi with a browser, or ask whoever runs the network to let this device through',
  clock:
    'Set it: timedatectl shows it, systemd-timesyncd sets it from the network (NTP, UDP port 123), and a Pi without a clock battery forgets it when it is off',
  'tls-failed':
    'An expired certificate of the test site, a proxy in between, or a line that loses large packets; compare from another network',
  'http-timeout':
    'The connection stands, but no answer comes: an overloaded line, or a trouble of the test site itself',
};

/** Such as `name server silent`; fits into a sentence. */
export function reasonWords(reason: OfflineReason): string {
  return WORDS[reason];
}

/** What an operator can do about it, one sentence without a full stop. */
export function reasonAdvice(reason: OfflineReason): string {
  return ADVICE[reason];
}
