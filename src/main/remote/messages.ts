/** The messages of the group and of the bus, as types and as the one list both sides agree on. */
import type { Json } from '../base/json.js';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, Json>>;

/** What the Pi says to the group. */
export interface OutgoingMessage {
  readonly body: Json;
  readonly subject: string;
  readonly source: 'controller';
  /** `broadcast`, or the connection id of the one browser that is to look at it. */
  readonly destination: string;
}

/** The components on the Pi that a browser may address, and that are watched. */
export const COMPONENTS = ['core', 'scheduler'] as const;
export type Component = (typeof COMPONENTS)[number];

export function isComponent(name: unknown): name is Component {
  return COMPONENTS.some((component) => component === name);
}

/** A message to the group, from this Pi. */
export function outgoing(subject: string, body: Json, destination = 'broadcast'): OutgoingMessage {
  return { body, subject, source: 'controller', destination };
}
