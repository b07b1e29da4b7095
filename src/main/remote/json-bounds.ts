/**
 * Bounds on untrusted values, found without recursion and without serialising: `JSON.stringify` of something deep
 * overflows the stack, and of something big costs its whole size before one knows that it is too big.
 */
import type { JsonObject } from './messages.js';

export interface JsonBounds {
  /** Length of the value as UTF-8 JSON, bytes. */
  readonly maxBytes: number;
  /** Objects and arrays inside each other; a plain value has depth 0. */
  readonly maxDepth: number;
}

export type JsonVerdict =
  | { readonly ok: true; readonly bytes: number }
  | { readonly ok: false; readonly reason: 'too-large' | 'too-deep' | 'not-json' };

/** True for what `JSON.parse` makes of `{...}`: no array, no Date, no class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Looks at every part of the value at most once and stops at the first bound crossed; a cycle is too deep. */
export function checkJson(value: unknown, bounds: JsonBounds): JsonVerdict {
  const pending: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  // A lower bound while walking, so that the walk ends early; exact at the end, by the serialiser itself.
  let atLeastBytes = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const part = next.value;
    if (typeof part === 'string') atLeastBytes += part.length + 2;
    else if (part === null || typeof part === 'boolean') atLeastBytes += 4;
    else if (typeof part === 'number') {
      if (!Number.isFinite(part)) return { ok: false, reason: 'not-json' };
      atLeastBytes += 1;
    } else if (Array.isArray(part) || isPlainObject(part)) {
      if (next.depth >= bounds.maxDepth) return { ok: false, reason: 'too-deep' };
      const depth = next.depth + 1;
      if (Array.isArray(part)) {
        atLeastBytes += part.length + 1;
        if (atLeastBytes > bounds.maxBytes) return { ok: false, reason: 'too-large' };
        for (const item of part as readonly unknown[]) pending.push({ value: item, depth });
      } else {
        for (const key in part) {
          atLeastBytes += key.length + 4;
          if (atLeastBytes > bounds.maxBytes) return { ok: false, reason: 'too-large' };
          pending.push({ value: part[key], depth });
        }
      }
    } else return { ok: false, reason: 'not-json' };
    if (atLeastBytes > bounds.maxBytes) return { ok: false, reason: 'too-large' };
  }
  const bytes = jsonBytes(value);
  return bytes > bounds.maxBytes ? { ok: false, reason: 'too-large' } : { ok: true, bytes };
}

/** Length as UTF-8 JSON, bytes. For values that are known to be bounded. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}

/** An object that {@link checkJson} accepts is a JSON object. */
export function asJsonObject(value: Readonly<Record<string, unknown>>): JsonObject {
  return value as JsonObject;
}
