/** What resolves in time is a value; what rejects or takes longer is null. Never rejects. */
export function within<T>(timeoutMs: number, work: () => Promise<T | undefined>): Promise<T | null> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => resolve(null), timeoutMs);
    const settle = (value: T | null): void => {
      clearTimeout(deadline);
      resolve(value);
    };
    void Promise.resolve()
      .then(work)
      .then(
        (value) => settle(value ?? null),
        () => settle(null),
      );
  });
}
