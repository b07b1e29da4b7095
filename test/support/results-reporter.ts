/**
 * A reporter of node:test for the runner: one JSON text a line, `{"passed":NAME}` or `{"failed":NAME}`, for each test (for suites only where they themselves failed or were skipped).
 * `{"leftOut":NAME}` is a test skipped for want of a package where TEST_LEFT_OUT says so. Any other skipped test, or one marked as still to do, has failed: it proves nothing, and nobody would notice.
 */
import type { TestEvent } from 'node:test/reporters';

export interface Result {
  readonly passed?: string;
  readonly failed?: string;
  /** Its package is missing and cannot be installed; the runner's own word for it is in the environment. */
  readonly leftOut?: string;
}

/** One a line. */
const REASONS = (process.env['TEST_LEFT_OUT'] ?? '').split('\n').filter((reason) => reason !== '');

export default async function* results(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    const passed = event.type === 'test:pass';
    const unproven = data.skip !== undefined || data.todo !== undefined;
    // A suite counts only where it failed by itself, by a hook, say, or did not run; not for the tests in it, which are counted.
    if (data.details.type === 'suite' && !unproven && (passed || isOfItsTests(data.details))) continue;
    const name = data.file === undefined ? data.name : `${data.name} (${data.file})`;
    const leftOut = typeof data.skip === 'string' && REASONS.includes(data.skip);
    if (leftOut) {
      yield `${JSON.stringify({ leftOut: name } satisfies Result)}\n`;
      continue;
    }
    const result: Result = passed && !unproven ? { passed: name } : { failed: unproven ? `not run: ${name}` : name };
    yield `${JSON.stringify(result)}\n`;
  }
}

function isOfItsTests(details: object): boolean {
  const { error } = details as { error?: { failureType?: unknown } };
  return error?.failureType === 'subtestsFailed';
}
