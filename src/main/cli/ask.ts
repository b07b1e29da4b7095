/** Asks the running daemon over its control socket. */
import { request } from 'node:http';

export type Asked =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  /** There is no socket, or nobody listens there any more. */
  | { readonly kind: 'absent' }
  /** The socket is there, but not for this user. */
  | { readonly kind: 'refused'; readonly path: string }
  /** Somebody listens, but no answer came within the deadline. */
  | { readonly kind: 'silent' };

export interface Question {
  /** Such as `GET /snapshot`. */
  readonly what: string;
  /** Header `Accept`. Default: none. */
  readonly accept?: string;
  /** Tried in turn; the first socket that is there counts. */
  readonly paths: readonly string[];
  /** Deadline of the whole, milliseconds. */
  readonly timeoutMs: number;
}

/** A longer answer is none of ours, bytes. */
const MAX_ANSWER_BYTES = 4 << 20;

/** Never rejects; resolves within the deadline. */
export async function askDaemon({ what, accept, paths, timeoutMs }: Question): Promise<Asked> {
  const endMs = performance.now() + timeoutMs;
  let refused: Asked | undefined;
  for (const path of paths) {
    const asked = await askAt(path, { what, accept }, Math.max(1, endMs - performance.now()));
    if (asked.kind === 'refused') refused = asked;
    else if (asked.kind !== 'absent') return asked;
  }
  return refused ?? { kind: 'absent' };
}

function askAt(
  socketPath: string,
  { what, accept }: { readonly what: string; readonly accept: string | undefined },
  timeoutMs: number,
): Promise<Asked> {
  const [method = 'GET', path = '/'] = what.split(' ');
  return new Promise((resolve) => {
    const done = (asked: Asked): void => {
      clearTimeout(timer);
      resolve(asked);
      sent.destroy();
    };
    const timer = setTimeout(() => done({ kind: 'silent' }), timeoutMs);
    const sent = request(
      { socketPath, method, path, agent: false, headers: accept === undefined ? {} : { accept } },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
          if (body.length > MAX_ANSWER_BYTES) done({ kind: 'silent' });
        });
        response.once('end', () => done({ kind: 'answer', status: response.statusCode ?? 0, body }));
        response.once('error', () => done({ kind: 'silent' }));
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM') done({ kind: 'refused', path: socketPath });
      else if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR')
        done({ kind: 'absent' });
      else done({ kind: 'silent' });
    });
    sent.end();
  });
}
