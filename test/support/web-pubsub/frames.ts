/** The frames of the JSON subprotocols: what clients may say, validated, and what the service says. */

export const RELIABLE_SUBPROTOCOL = 'json.reliable.webpubsub.azure.v1';
export const SIMPLE_SUBPROTOCOL = 'json.webpubsub.azure.v1';
export type Subprotocol = typeof RELIABLE_SUBPROTOCOL | typeof SIMPLE_SUBPROTOCOL;

/** Longest message, bytes: 1 MB. */
export const MAX_MESSAGE_BYTES = 1_048_576;

export type DataType = 'json' | 'text' | 'binary';

/** Frames that may carry an ackId. */
export type AckedFrame =
  | { readonly type: 'joinGroup' | 'leaveGroup'; readonly group: string; readonly ackId?: number }
  | {
      readonly type: 'sendToGroup';
      readonly group: string;
      readonly ackId?: number;
      readonly noEcho: boolean;
      readonly dataType: DataType;
      /** Base64 when binary. */
      readonly data: unknown;
    }
  | {
      readonly type: 'event';
      readonly event: string;
      readonly ackId?: number;
      readonly dataType: DataType;
      readonly data: unknown;
    };

export type ClientFrame =
  AckedFrame | { readonly type: 'sequenceAck'; readonly sequenceId: number } | { readonly type: 'ping' };

export type AckErrorName = 'Forbidden' | 'InternalServerError' | 'Duplicate';

export type ServiceFrame =
  | {
      readonly type: 'system';
      readonly event: 'connected';
      readonly userId?: string;
      readonly connectionId: string;
      readonly reconnectionToken?: string;
    }
  | { readonly type: 'system'; readonly event: 'disconnected'; readonly message: string }
  | {
      readonly type: 'ack';
      readonly ackId: number;
      readonly success: boolean;
      readonly error?: { readonly name: AckErrorName; readonly message: string };
    }
  | {
      readonly type: 'message';
      readonly from: 'group';
      readonly group: string;
      readonly fromUserId?: string;
      readonly dataType: DataType;
      readonly data: unknown;
      readonly sequenceId?: number;
    }
  | {
      readonly type: 'message';
      readonly from: 'server';
      readonly dataType: DataType;
      readonly data: unknown;
      readonly sequenceId?: number;
    }
  | { readonly type: 'pong' };

/** Returns the frame, or what is wrong with it, in words for the disconnected frame. */
export function parseClientFrame(
  text: string,
): { readonly ok: true; readonly frame: ClientFrame } | { readonly ok: false; readonly problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad('The frame is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return bad('The frame is not an object.');
  const fields = value as Readonly<Record<string, unknown>>;
  const { type, group, event, ackId, sequenceId, noEcho } = fields;
  if (ackId !== undefined && !isCount(ackId)) return bad('ackId is not a non-negative integer.');
  const ack = ackId === undefined ? {} : { ackId };
  switch (type) {
    case 'ping':
      return { ok: true, frame: { type } };
    case 'sequenceAck':
      return isCount(sequenceId) ? { ok: true, frame: { type, sequenceId } } : bad('sequenceId is not an integer.');
    case 'joinGroup':
    case 'leaveGroup':
      return isName(group) ? { ok: true, frame: { type, group, ...ack } } : bad('group is missing.');
    case 'sendToGroup': {
      if (!isName(group)) return bad('group is missing.');
      if (noEcho !== undefined && typeof noEcho !== 'boolean') return bad('noEcho is not a boolean.');
      const content = parseContent(fields);
      return content.ok
        ? { ok: true, frame: { type, group, noEcho: noEcho === true, ...content.content, ...ack } }
        : content;
    }
    case 'event': {
      if (!isName(event)) return bad('event is missing.');
      const content = parseContent(fields);
      return content.ok ? { ok: true, frame: { type, event, ...content.content, ...ack } } : content;
    }
    default:
      return bad(`Unknown frame type ${typeof type === 'string' ? type : typeof type}.`);
  }
}

type Content = { readonly dataType: DataType; readonly data: unknown };

function parseContent(
  fields: Readonly<Record<string, unknown>>,
): { readonly ok: true; readonly content: Content } | { readonly ok: false; readonly problem: string } {
  const { data } = fields;
  // Without a dataType the service takes JSON.
  const dataType: unknown = fields['dataType'] ?? 'json';
  if (data === undefined) return bad('data is missing.');
  switch (dataType) {
    case 'json':
      return { ok: true, content: { dataType, data } };
    case 'text':
      return typeof data === 'string' ? { ok: true, content: { dataType, data } } : bad('data is not a text.');
    case 'binary':
      return typeof data === 'string' && isBase64(data)
        ? { ok: true, content: { dataType, data } }
        : bad('data is not base64.');
    default:
      return bad('dataType is none of json, text, binary.');
  }
}

function bad(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 1024;
}

function isBase64(value: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value);
}
