/**
 * What an answer over plain HTTP, where the site was asked for, says about who gave it. Everything here comes from the network and is believed
 * for the words of the log only. Pure.
 *
 * | answer | means | source |
 * | --- | --- | --- |
 * | 511 | a portal; the address is in its headers or page | RFC 6585, section 6 |
 * | 3xx to another host | a portal; that is its login | RFC 7710 and RFC 8910 deplore it, all of them do it |
 * | 3xx to the site itself | the site: the usual way to HTTPS | RFC 9110, section 15.4 |
 * | 2xx that leads to another host by a `refresh`, a script or a form | a portal; that is its login | HTML, 4.2.5.3 and 4.10.3 |
 * | 2xx with a `LoginURL` | a portal | WISPr 1.0, appendix D |
 * | any other 2xx | likely a portal: what passes for a site today sends a browser to HTTPS | RFC 6797, section 7.2 |
 * | 1xx, 4xx, other 5xx | says nothing: a proxy or the site in trouble | |
 */

export interface PlainAnswer {
  readonly status: number;
  readonly location: string | undefined;
  /** `Refresh`, which browsers obey like its twin in the page. */
  readonly refresh: string | undefined;
  /** The beginning of the page. */
  readonly body: string;
}

export type PlainVerdict =
  /** It says itself that it is one. `login`: an address that a browser can open. */
  | { readonly kind: 'portal'; readonly login: string | undefined }
  /** A page where the site itself would hardly have one: a portal if HTTPS is refused, garbled or dropped altogether. */
  | { readonly kind: 'page' }
  | { readonly kind: 'nothing' };

/** Longer addresses are cut back to their host. */
const MAX_LOGIN = 120;
const NOTHING: PlainVerdict = { kind: 'nothing' };

/** `host`: the site that was asked for. */
export function judgePlainAnswer(answer: PlainAnswer, host: string): PlainVerdict {
  const { status } = answer;
  const elsewhere = targetsOf(answer, host).find((target) => !isOfSite(target.hostname, host));
  const login = elsewhere === undefined ? undefined : loginOf(elsewhere);
  if (status === 511) return { kind: 'portal', login };
  if (status >= 300 && status < 400) return elsewhere === undefined ? NOTHING : { kind: 'portal', login };
  if (status < 200 || status > 299) return NOTHING;
  return elsewhere === undefined ? { kind: 'page' } : { kind: 'portal', login };
}

/** Where an answer leads, the surest first. */
function targetsOf({ location, refresh, body }: PlainAnswer, host: string): URL[] {
  const said = [
    location,
    addressOfRefresh(refresh),
    /<LoginURL>([^<]{1,2000})<\/LoginURL>/i.exec(body)?.[1],
    addressOfRefresh(refreshInPage(body)),
    /<form\b[^>]{0,500}\baction\s*=\s*["'](https?:[^"']{1,2000})["']/i.exec(body)?.[1],
    /\blocation(?:\.href)?\s*=\s*["']([^"']{1,2000})["']/i.exec(body)?.[1],
    /\blocation\.(?:replace|assign)\(\s*["']([^"']{1,2000})["']/i.exec(body)?.[1],
  ];
  return said.flatMap((text) => {
    if (text === undefined) return [];
    const base = `http://${host.includes(':') ? `[${host}]` : host}/`;
    const decoded = text.trim().replaceAll('&amp;', '&');
    return URL.canParse(decoded, base) ? [new URL(decoded, base)] : [];
  });
}

function refreshInPage(body: string): string | undefined {
  const tag = /<meta\b[^>]{0,500}http-equiv\s*=\s*["']?refresh\b[^>]{0,2500}>/i.exec(body)?.[0];
  if (tag === undefined) return undefined;
  return /\bcontent\s*=\s*"([^"]{0,2000})"/i.exec(tag)?.[1] ?? /\bcontent\s*=\s*'([^']{0,2000})'/i.exec(tag)?.[1];
}

/** `0; url=http://…` */
function addressOfRefresh(value: string | undefined): string | undefined {
  return /^\s*[\d.]*\s*[;,]?\s*url\s*=\s*["']?([^"']{1,2000})/i.exec(value ?? '')?.[1];
}

/** The site, or a name of the same owner: `www.` and the like. */
function isOfSite(target: string, host: string): boolean {
  const [one, other] = [plainName(target), plainName(host)];
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`);
}

function plainName(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$|\.$/g, '');
}

/** Without name, password, query and fragment: they may hold what identifies this device. `URL` leaves printable ASCII only. */
function loginOf({ protocol, host, pathname }: URL): string | undefined {
  if ((protocol !== 'http:' && protocol !== 'https:') || !/^[\x21-\x7e]+$/.test(host + pathname)) return undefined;
  const whole = `${protocol}//${host}${pathname}`;
  const login = whole.length <= MAX_LOGIN ? whole : `${protocol}//${host}/`;
  return login.length <= MAX_LOGIN ? login : undefined;
}
