/**
 * What a recovered socket may get, as the client specification of the service leaves it open (Azure/azure-webpubsub,
 * `protocols/client/client-spec.md`). 1.2.4: the WebSocket that opens is itself the success, and the client MAY receive `connected`
 * after it. 1.4.2: everything not acknowledged is sent again, on no particular occasion. The emulator of the same repository
 * (`tools/emulator`) never sends `connected`, and nothing at all until there is something to say.
 */
export interface RecoveryVariant {
  /** Whether and when `connected` comes: before the replay, after it, or not at all. */
  readonly greeting: 'first' | 'last' | 'never';
  /** The reconnectionToken of that greeting: the one there was, one that replaces it, or the field is missing. */
  readonly token: 'same' | 'new' | 'none';
  /** When what was not acknowledged is sent again: at once, at the first frame of the client before its answer, or right after that. */
  readonly replay: 'at-once' | 'before-the-answer' | 'after-the-answer';
}

/** The way of this project's fakes until they were made as wide as the specification. */
export const GREETED_FIRST: RecoveryVariant = { greeting: 'first', token: 'same', replay: 'at-once' };
/** The way of Microsoft's emulator. */
export const NEVER_GREETED: RecoveryVariant = { greeting: 'never', token: 'same', replay: 'at-once' };

/** Every kind of recovery allowed, by a name for tests. */
export const RECOVERY_VARIANTS: Readonly<Record<string, RecoveryVariant>> = {
  'greeted first': GREETED_FIRST,
  'greeted first, with a new token': { greeting: 'first', token: 'new', replay: 'at-once' },
  'greeted first, without a token': { greeting: 'first', token: 'none', replay: 'at-once' },
  'greeted first, replayed when spoken to': { greeting: 'first', token: 'same', replay: 'before-the-answer' },
  'greeted last': { greeting: 'last', token: 'same', replay: 'at-once' },
  'greeted last, with a new token': { greeting: 'last', token: 'new', replay: 'at-once' },
  'greeted last, without a token': { greeting: 'last', token: 'none', replay: 'before-the-answer' },
  'never greeted': NEVER_GREETED,
  'never greeted, silent until spoken to': { greeting: 'never', token: 'same', replay: 'before-the-answer' },
  'never greeted, answered before the replay': { greeting: 'never', token: 'same', replay: 'after-the-answer' },
};

/** One of them; `random` is in [0, 1). */
export function anyRecovery(random: number): RecoveryVariant {
  const all = Object.values(RECOVERY_VARIANTS);
  return all[Math.floor(random * all.length)] ?? NEVER_GREETED;
}

/**
 * Plays one recovered socket by its variant. Call {@link opened} once, and {@link spokenTo} around the answer to each frame of the
 * client.
 */
export class RecoveredSocket {
  #replayPending = true;

  constructor(
    private readonly variant: RecoveryVariant,
    private readonly say: { readonly greet: () => void; readonly replay: () => void },
  ) {}

  opened(): void {
    if (this.variant.greeting === 'first') this.say.greet();
    if (this.variant.replay === 'at-once') this.#replay();
  }

  /** `answer` is the service's own handling of the frame. */
  spokenTo(answer: () => void): void {
    if (this.variant.replay !== 'after-the-answer') this.#replay();
    answer();
    this.#replay();
  }

  #replay(): void {
    if (!this.#replayPending) return;
    this.#replayPending = false;
    this.say.replay();
    if (this.variant.greeting === 'last') this.say.greet();
  }
}
