/** What the child in the `pi` namespace offers: simple questions, asked without the code under test. */

export interface LookUp {
  readonly name: string;
  readonly type: 'A' | 'AAAA';
  readonly timeoutMs: number;
}

export interface Connect {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

export interface Head extends Connect {
  /** Name for SNI and the certificate. */
  readonly name: string;
  readonly ca: string;
}

/** How an attempt ended: `ok`, or where and with which code it failed. */
export type Outcome =
  | { readonly ok: true; readonly ms: number; readonly addresses?: readonly string[]; readonly status?: number }
  | { readonly ok: false; readonly ms: number; readonly at: 'dns' | 'tcp' | 'tls' | 'http'; readonly error: string };

export interface ProbeCalls {
  /** Asks the name servers of resolv.conf as it is now. */
  lookUp(query: LookUp): Promise<Outcome>;
  connect(to: Connect): Promise<Outcome>;
  /** HEAD on a fresh connection. */
  head(to: Head): Promise<Outcome>;
  /** Numbers of the kernel: sockets, addresses. */
  addresses(argument: undefined): readonly string[];
  [name: string]: (argument: never) => unknown;
}
