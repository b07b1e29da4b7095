/** What is wrong with a proxy: the rows behind the reason `proxy`, in the order in which one is talked to. */
import type { ProxyTrouble } from '../../workers/protocol.js';
import type { NameWords } from './names.js';

export const PROXIES: Readonly<Record<ProxyTrouble, NameWords>> = {
  'refuses-connections': {
    meaning: 'nothing listens where the proxy should be',
    remedy:
      'Look at host and port of `[Network] httpsProxy` (or `HTTPS_PROXY`); if they are right, the proxy does not run',
  },
  unreachable: {
    meaning: "the proxy's address does not answer",
    remedy: 'Look at the network, and at host and port of `[Network] httpsProxy` (or `HTTPS_PROXY`)',
  },
  'bad-certificate': {
    meaning: 'the proxy shows a certificate that is not its own, or of nobody that is trusted',
    remedy:
      'Name its authority in `[Network] caFile`, and the proxy as its certificate does; `http://` in `[Network] httpsProxy` if it takes no TLS',
  },
  'no-tls': {
    meaning: 'the proxy does not speak TLS',
    remedy:
      'Write `http://` in place of `https://` in `[Network] httpsProxy`: that is about the way to the proxy, what goes through it stays encrypted',
  },
  closes: {
    meaning: 'the proxy closes the connection without an answer',
    remedy:
      'Look at the log of the proxy; one that wants TLS itself is written `https://host:port` in `[Network] httpsProxy`',
  },
  silent: {
    meaning: 'the proxy takes the connection and gives no answer',
    remedy: 'Its own way out may be dead: look at the proxy, then at its line',
  },
  'no-proxy': {
    meaning: 'what answers there is no HTTP proxy',
    remedy:
      'Look at the port of `[Network] httpsProxy`: a SOCKS proxy does not serve, and one that wants TLS itself is written `https://host:port`',
  },
  'wants-login': {
    meaning: 'the proxy wants a user name and a password (407, or 401)',
    remedy:
      'Write them before the host of `HTTPS_PROXY` in `/etc/dunebugger-remote/environment`, as `user:password@host:port`, then `sudo systemctl restart dunebugger-remote`',
  },
  'refuses-login': {
    meaning: 'the proxy refuses the user name or the password (407, or 401)',
    remedy:
      'Correct them in `HTTPS_PROXY` of `/etc/dunebugger-remote/environment` (an `@` in them is `%40`, a `:` is `%3A`, a `%` is `%25`), then `sudo systemctl restart dunebugger-remote`',
  },
  'wants-other-login': {
    meaning: 'the proxy wants a login of a kind that is not known here, such as NTLM or Kerberos (407, or 401)',
    remedy: 'Ask whoever runs it to let this device through without one, or with a password (Basic)',
  },
  forbids: {
    meaning: 'the proxy forbids the way there (403 or the like)',
    remedy: 'Ask whoever runs it to let this device reach the test site, the sign-in and the cloud, each at its port',
  },
  'has-no-way': {
    meaning: 'the proxy itself finds no way there (502, 503, 504 or the like)',
    remedy: 'The line behind the proxy is dead, or its name server is: look there',
  },
  'answers-oddly': {
    meaning: 'the proxy gives an answer that is none to the question for a way',
    remedy: 'Look at host and port of `[Network] httpsProxy`: is it a proxy, and no web page or captive portal?',
  },
};
