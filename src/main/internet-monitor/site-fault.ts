/** What is told when the test site fails and the internet is there. Pure. */
import type { CheckEvidence, HttpsEvidence, OfflineReason } from '../../workers/protocol.js';

/** Where the evidence of the site itself says no more; fits behind "the test site is not: ". */
const WORDS: Readonly<Record<OfflineReason, string>> = {
  'no-link': 'there is no link to it',
  'no-route': 'there is no route to it',
  'dns-timeout': 'no name server answers for its name',
  'dns-failed': 'its name leads to no address',
  proxy: 'the proxy opens no way to it',
  'tcp-timeout': 'its address does not answer',
  'tcp-refused': 'it refuses connections',
  portal: "it shows somebody else's certificate",
  'no-ca-store': 'nobody vouches for its certificate, and this system has no store of certificates',
  clock: 'its certificate is not valid yet',
  'tls-failed': 'its TLS handshake fails',
  'http-timeout': 'it sends no answer',
};

/** How the site failed, in words that fit behind a colon. */
export function siteFaultWords({ siteReason, dns, https }: CheckEvidence): string {
  if (siteReason === undefined) return '';
  const told = https.find((one) => !one.ok && one.reason === siteReason);
  const words = WORDS[siteReason];
  switch (siteReason) {
    case 'dns-failed':
      return dns?.error === undefined ? words : `${words} (${dns.error})`;
    case 'tls-failed':
      return told?.detail === undefined
        ? withCode(words, told)
        : told.detail.replace(/^the site's certificate/, 'its certificate');
    case 'portal':
    case 'clock':
      return told?.detail === undefined ? words : `${words}: ${told.detail}`;
    default:
      return withCode(words, told);
  }
}

/** Who proved the internet instead. */
export function provedBy({ live, witnesses }: CheckEvidence): string {
  const witness = witnesses?.find(({ ok }) => ok);
  if (witness !== undefined) return `${witness.host} shows its certificate`;
  return live === 'answered' ? 'the live connection answers' : 'it was proved a moment ago';
}

function withCode(words: string, told: HttpsEvidence | undefined): string {
  return told?.error === undefined ? words : `${words} (${told.error})`;
}
