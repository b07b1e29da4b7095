/**
 * `dunebugger_components` of system_info, in a shape that every version of the front end reads: the one of December 2025 takes `name`, `state`
 * and `version`, a later one `last_available_version`, the newest `running`, `current_version` and what is known of updates. Pure.
 */
import type { ComponentStatus } from './from-bus.js';

/** The newest names: the page knows the components by them. */
const NAMES = {
  dunebugger: 'dunebugger-core',
  scheduler: 'dunebugger-scheduler',
  'dunebugger-remote': 'dunebugger-remote',
} as const;

export type ComponentSeen = ComponentStatus | (Omit<ComponentStatus, 'name'> & { readonly name: 'dunebugger-remote' });

// An alias and not an interface, so that it is a Json.
export type ComponentInfo = {
  readonly name: (typeof NAMES)[keyof typeof NAMES];
  readonly state: 'running' | 'not_responding';
  readonly running: boolean;
  /** Null where it is not known; the same as `current_version`. */
  readonly version: string | null;
  readonly current_version: string | null;
  /** Null: nothing here knows of it; a page offers an update where it is set. */
  readonly latest_version: null;
  readonly last_available_version: null;
  readonly update_available: false;
  readonly last_checked: null;
  readonly release_notes: null;
  readonly release_url: null;
};

/** All of them, this one at the end. `version` is ours. */
export function componentInfos(components: readonly ComponentSeen[], version: string): readonly ComponentInfo[] {
  return [...components, { name: 'dunebugger-remote', state: 'running', version } as const].map(componentInfo);
}

function componentInfo({ name, state, version }: ComponentSeen): ComponentInfo {
  return {
    name: NAMES[name],
    state,
    running: state === 'running',
    version,
    current_version: version,
    latest_version: null,
    last_available_version: null,
    update_available: false,
    last_checked: null,
    release_notes: null,
    release_url: null,
  };
}
