/** Waiting, but not for ever. */

/** Resolves when the promise settles or after `ms`, whichever is first; never rejects. True: in time, and not by rejecting. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const inTime = promise.then(
    () => true,
    () => false,
  );
  const outcome = await Promise.race([inTime, late]);
  clearTimeout(timer);
  return outcome;
}
