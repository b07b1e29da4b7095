/** A call that got no answer, in the words of a sign-in: what to look at. */

import { ProxyError } from '../../../workers/net/proxy-answers.js';
import { HttpJsonError } from '../../net/http-json.js';
import { proxyAdvice } from '../../troubles.js';
import { SignInError } from './provider.js';

/** The server saw no request at all, so that the attempt does not count against its limits. */
export class UnreachableError extends SignInError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('failed', message, undefined, { ...options, unanswered: true });
    this.name = 'UnreachableError';
  }
}

/**
 * @param who Begins the sentence, such as `Auth0`.
 * @param setting What names the server, such as `authURL in [Auth]`.
 */
export function failedCall(who: string, setting: string, error: unknown): SignInError {
  if (!(error instanceof HttpJsonError)) {
    return new SignInError('failed', `${who} gave no answer.`, undefined, { cause: error, unanswered: true });
  }
  const message = `${who} gave no answer: ${error.message}.${advice(error, setting)}`;
  return error.phase === 'http' || error.phase === 'body'
    ? new SignInError('failed', message, undefined, { cause: error, unanswered: true })
    : new UnreachableError(message, { cause: error });
}

function advice({ code, phase, cause }: HttpJsonError, setting: string): string {
  if (cause instanceof ProxyError) return ` ${proxyAdvice(cause.trouble)}.`;
  switch (code) {
    case 'ENOTFOUND':
    case 'ENODATA':
      return ` There is no such name: look at ${setting}.`;
    case 'ERR_BAD_REQUEST':
    case 'ECONNREFUSED':
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return ` Look at ${setting}.`;
    case 'CERT_NOT_YET_VALID':
    case 'CERT_HAS_EXPIRED':
      return ` Is this machine's clock right?`;
    default:
      return phase === 'tls' && /CERT|ISSUER|SIGNED|VERIFY/.test(code)
        ? ` Its certificate is not trusted: somebody is in between, or ${setting} is wrong.`
        : '';
  }
}
