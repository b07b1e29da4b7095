/** Between values, as tests write them, and what travels: JSON as its text. */
import { JsonText, type Json, type Sendable } from '../../src/main/base/json.js';
import type { Delivery, GroupMessage } from '../../src/main/connection/session.js';

/** What the reader at the other end makes of it. */
export function read(sent: Sendable | object): Json {
  return (sent instanceof JsonText ? JSON.parse(sent.text) : sent) as Json;
}

/** A message of the group whose JSON is this very text. */
export function textMessage(text: string): GroupMessage {
  return { group: 'g', dataType: 'json', data: JSON.parse(text) as unknown, text };
}

/** A message of the group that somebody sent as JSON. */
export function jsonMessage(data: unknown, how: Partial<Delivery> = {}): GroupMessage {
  return { group: 'g', dataType: 'json', data, text: JSON.stringify(data), ...how };
}
