/** What a look-up of a name came to: the rows behind `dns-timeout` and `dns-failed`, in the order of README.md. */
import type { NameTrouble } from '../../workers/protocol.js';

export interface NameWords {
  /** Lower case, without a full stop. */
  readonly meaning: string;
  /** One sentence without a full stop; what is to be typed in backticks. */
  readonly remedy: string;
}

export const NAMES: Readonly<Record<NameTrouble, NameWords>> = {
  silent: {
    meaning: 'no name server answers',
    remedy: 'The line or the name server is dead; look at the router and at `/etc/resolv.conf`',
  },
  'server-away': {
    meaning: 'the name server is not there: its port is closed, or it cannot be reached',
    remedy:
      'Restart the router, or name another name server: `nmcli connection modify NAME ipv4.dns 9.9.9.9`, or `[Websocket] nameServers` for this service alone',
  },
  'resolved-away': {
    meaning: 'nothing runs at 127.0.0.53, where `/etc/resolv.conf` sends every question',
    remedy:
      '`sudo systemctl restart systemd-resolved`, and `systemctl enable` it; if it is not to run, `/etc/resolv.conf` must name the router instead',
  },
  'own-server-away': {
    meaning: 'no name server runs on this machine, where `/etc/resolv.conf` sends every question',
    remedy:
      'Start it (`systemctl status dnsmasq unbound pihole-FTL`), or let NetworkManager write `/etc/resolv.conf` again',
  },
  'resolv-conf-missing': {
    meaning: '`/etc/resolv.conf` is missing, or a link that leads nowhere, as long as whoever writes it does not run',
    remedy: '`ls -l /etc/resolv.conf` says who writes it: `systemctl restart systemd-resolved` or `NetworkManager`',
  },
  'resolv-conf-empty': {
    meaning: '`/etc/resolv.conf` names no name server',
    remedy:
      'The network gave none, or nobody wrote it down: `nmcli device show` says which were given, `sudo systemctl restart NetworkManager` asks again',
  },
  'resolv-conf-endless': {
    meaning: '`/etc/resolv.conf` is no ordinary file, or larger than 64 kB, so it is not read',
    remedy: 'Remove it, then `sudo systemctl restart NetworkManager`, which writes a new one',
  },
  'resolv-conf-unreadable': {
    meaning: '`/etc/resolv.conf` cannot be read by this service, or is a link in a circle',
    remedy: 'Everybody must be able to read it: `ls -lL /etc/resolv.conf`, `sudo chmod 644 /etc/resolv.conf`',
  },
  'cannot-find-out': {
    meaning: 'the name server tried and could not find out (SERVFAIL)',
    remedy:
      'Its own way out is gone, or it takes the answer for forged, often because of a wrong clock (DNSSEC): look at the router, at `resolvectl query` and at `timedatectl`',
  },
  'refuses-us': {
    meaning: 'the name server does not serve this device (REFUSED)',
    remedy:
      'Another network is its own: let the router give the right name server, or set one: `nmcli connection modify NAME ipv4.dns 9.9.9.9`',
  },
  'no-such-name': {
    meaning: 'the name server says that there is no such name (NXDOMAIN)',
    remedy:
      'Look at how the name is spelt in the settings; if it is right, a filter (Pi-hole, parental control) or a portal denies it: ask another name server, `dig NAME @9.9.9.9`',
  },
  'no-address': {
    meaning: 'the name exists, but has no address that this machine could use',
    remedy:
      'Look at how the name is spelt in the settings; if it is right, a network with IPv6 only needs NAT64 for a site with IPv4 only, or an alias of the name leads nowhere',
  },
  'does-not-understand': {
    meaning: 'the name server does not understand the question (FORMERR, NOTIMP)',
    remedy: 'Update the router, or name another name server: `nmcli connection modify NAME ipv4.dns 9.9.9.9`',
  },
  'makes-no-sense': {
    meaning: 'what comes back is no answer to the question',
    remedy: 'Something on the way changes answers of name servers: look at the router, or name another name server',
  },
  'bad-name': {
    meaning: 'the name is none that a name server takes',
    remedy: 'Correct it in the settings',
  },
  'impossible-address': {
    meaning: 'the name server answers with an address that no site can have, such as 0.0.0.0 or 127.0.0.1',
    remedy: 'That is how a filter (Pi-hole, AdGuard, parental control) says no: allow the name there',
  },
  'private-address': {
    meaning: 'the name leads to an address of a private network, where it was a public one before',
    remedy:
      'A portal or a filter in the router answers in place of the site: log in to the network with a browser, or allow the name there',
  },
  'not-in-the-house': {
    meaning: 'no machine of this network says that it has this name in .local',
    remedy:
      'Is it switched on, in the same network, and called so? Both machines need avahi: `sudo apt install avahi-daemon libnss-mdns`; `getent ahosts NAME` tries it',
  },
  'fails-otherwise': {
    meaning: 'the look-up failed in another way',
    remedy: 'Look at the code in the line, at `/etc/resolv.conf` and at the router',
  },
};
