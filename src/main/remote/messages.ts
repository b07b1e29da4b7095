/** The messages of the group and of the bus, as types and as the one list both sides agree on. */
import { JsonText, type Json, type Sendable } from '../base/json.js';

/** A JSON object. */
export type JsonObject = Readonly<Record<string, Json>>;

/** What the Pi says to the group. */
export interface OutgoingMessage<Body extends Sendable = Sendable> {
  /** What a component said is carried as its text. */
  readonly body: Body;
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
export function outgoing<Body extends Sendable>(
  subject: string,
  body: Body,
  destination = 'broadcast',
): OutgoingMessage<Body> {
  return { body, subject, source: 'controller', destination };
}

/** The message as it is sent. */
export function onTheWire({ body, subject, source, destination }: OutgoingMessage): Sendable {
  if (!(body instanceof JsonText)) return { body, subject, source, destination };
  const rest = JSON.stringify({ subject, source, destination });
  return new JsonText(`{"body":${body.text},${rest.slice(1)}`);
}
