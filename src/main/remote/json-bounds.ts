/** Bounds on untrusted JSON, found in its text: nothing is parsed or printed before it is known to be small and flat enough. Pure. */
import type { Member } from '../base/json-scan.js';
import { scanJson } from '../base/json-scan.js';
import type { JsonObject } from './messages.js';

export interface JsonBounds {
  /** Length as UTF-8, bytes. */
  readonly maxBytes: number;
  /** Objects and arrays inside each other; a plain value has depth 0. */
  readonly maxDepth: number;
}

export type JsonVerdict =
  | { readonly ok: true; readonly bytes: number; readonly members: readonly Member[] }
  | { readonly ok: false; readonly reason: 'too-large' | 'too-deep' };

/** True for what `JSON.parse` makes of `{...}`: no array, no Date, no class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** `members`: where those of the outermost object with these names stand. */
export function checkJson(text: string, bounds: JsonBounds, names: readonly string[]): JsonVerdict {
  // A character is at least a byte, so most of what is too large is not even measured.
  if (text.length > bounds.maxBytes) return { ok: false, reason: 'too-large' };
  const bytes = Buffer.byteLength(text, 'utf8');
  if (bytes > bounds.maxBytes) return { ok: false, reason: 'too-large' };
  const { depth, members } = scanJson(text, names, bounds.maxDepth);
  return depth > bounds.maxDepth ? { ok: false, reason: 'too-deep' } : { ok: true, bytes, members };
}

/** Length as UTF-8 JSON, bytes. For values that are known to be bounded. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}

/** An object that came out of `JSON.parse` is a JSON object. */
export function asJsonObject(value: Readonly<Record<string, unknown>>): JsonObject {
  return value as JsonObject;
}
