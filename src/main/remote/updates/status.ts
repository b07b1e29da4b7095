/** What the update coordinator of the host says of a request. Pure; its files are untrusted, and are written while they are read. */
import type { Json } from '../../base/json.js';
import { isPlainObject } from '../json-bounds.js';
import type { Component } from '../messages.js';

export type UpdateStatus =
  /** Not there yet, or half written. */
  | { readonly kind: 'none' }
  | { readonly kind: 'progress'; readonly phase: string }
  | {
      readonly kind: 'ended';
      readonly success: boolean;
      readonly message: string;
      readonly output: string;
      readonly error: string;
    };

/** Of what a script printed the end says most; characters. A page shows it whole. */
const MAX_OUTPUT_CHARS = 4_000;
const MAX_MESSAGE_CHARS = 500;
const MAX_PHASE_CHARS = 60;

/** `success` is null as long as it is under way; the coordinator of January 2026 writes nothing before the end. */
export function readStatus(text: string | undefined, requestId: string): UpdateStatus {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return { kind: 'none' };
  }
  if (!isPlainObject(value) || value['request_id'] !== requestId) return { kind: 'none' };
  const { success, message, output, error, phase } = value;
  if (typeof success !== 'boolean') {
    return { kind: 'progress', phase: words(phase).slice(0, MAX_PHASE_CHARS) };
  }
  return {
    kind: 'ended',
    success,
    message: words(message).slice(0, MAX_MESSAGE_CHARS),
    output: words(output).slice(-MAX_OUTPUT_CHARS),
    error: words(error).slice(-MAX_OUTPUT_CHARS),
  };
}

function words(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

/** The request as the coordinator reads it. `nowMs`: wall clock, milliseconds since 1970. */
export function requestText(
  { component, version }: { readonly component: string; readonly version: string },
  requestId: string,
  nowMs: number,
): string {
  const request: Json = {
    component,
    action: 'update',
    version,
    request_id: requestId,
    timestamp: new Date(nowMs).toISOString(),
  };
  return `${JSON.stringify(request)}\n`;
}

/** A request that was handed over before this start, as {@link requestText} wrote it; undefined: it is none. `sinceMs`: wall clock, or NaN. */
export function readRequest(text: string): { readonly component: Component; readonly sinceMs: number } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isPlainObject(value) || value['action'] !== 'update') return undefined;
  const { component, timestamp } = value;
  if (component !== 'core' && component !== 'scheduler') return undefined;
  return { component, sinceMs: typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN };
}
