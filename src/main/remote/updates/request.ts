/**
 * What a browser asks of updates. Pure.
 *
 * The front end says `updater.check_updates` and `updater.update`, the second with a component's name as a plain string; older ones say
 * `controller.` instead, or `perform_update` with `{component, version?, dry_run?}`.
 */
import type { Json } from '../../base/json.js';
import { asJsonObject, isPlainObject } from '../json-bounds.js';
import type { Component } from '../messages.js';

export type UpdateRequest =
  /** Is there anything newer? */
  | { readonly kind: 'check' }
  /** `version` is empty where none is named. */
  | { readonly kind: 'update'; readonly component: Component; readonly version: string }
  /** Of this daemon. */
  | { readonly kind: 'update-self' }
  | { readonly kind: 'bad'; readonly why: string };

/** All the names that a component has had in `system_info`, and those that the original took. */
const NAMES: Readonly<Record<string, Component | 'self'>> = {
  core: 'core',
  dunebugger: 'core',
  'dunebugger-core': 'core',
  scheduler: 'scheduler',
  'dunebugger-scheduler': 'scheduler',
  remote: 'self',
  controller: 'self',
  'dunebugger-remote': 'self',
};

/** A tag of a release or of an image; it becomes the argument of a script that runs as root. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

/** Undefined: the subject is no request of this kind. */
export function updateRequest(subject: string, body: Json | undefined): UpdateRequest | undefined {
  if (subject === 'check_updates') return { kind: 'check' };
  if (subject !== 'update' && subject !== 'perform_update') return undefined;
  const asked = isPlainObject(body) ? asJsonObject(body) : { component: body ?? null };
  const { component: name, version = '', dry_run: dryRun } = asked;
  if (typeof name !== 'string' || !Object.hasOwn(NAMES, name.toLowerCase())) {
    return { kind: 'bad', why: 'it names no component of this device' };
  }
  if (dryRun === true) return { kind: 'bad', why: 'an update is not rehearsed here' };
  const component = NAMES[name.toLowerCase()];
  if (component === undefined || component === 'self') return { kind: 'update-self' };
  const tag = version === null ? '' : version;
  if (typeof tag !== 'string' || (tag !== '' && !VERSION.test(tag))) return { kind: 'bad', why: 'its version is none' };
  return { kind: 'update', component, version: tag };
}
