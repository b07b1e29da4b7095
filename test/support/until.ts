/** Waiting for what announces itself nowhere. */
import assert from 'node:assert/strict';

const LOOK_EVERY_MS = 10;

/** Resolves once `condition` holds; fails after `deadlineMs`, naming `what` did not come. */
export async function until(condition: () => boolean, what: string, deadlineMs = 20_000): Promise<void> {
  const startedAt = performance.now();
  while (!condition()) {
    if (performance.now() - startedAt > deadlineMs) assert.fail(`waited ${deadlineMs / 1_000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
