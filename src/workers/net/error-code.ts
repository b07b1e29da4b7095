/** What the system or Node calls an error by. Pure. */

/** Such as `ECONNREFUSED`; undefined if it has no code. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Of one that ended a connection. */
export function connectionCodeOf(error: unknown): string {
  return codeOf(error) ?? 'ECONNECTION';
}
