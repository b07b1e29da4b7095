/** A JSON value, as it goes over the wire. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * JSON as the text it is, valid and within bounds. What others say is carried on as this and not printed anew: a parse and a print would
 * change 9007199254740993, 1.0, 1e400, a key that stands twice, the order of numeric keys, and more.
 */
export class JsonText {
  constructor(readonly text: string) {}
}

/** What can be sent: a value that is printed, or a text that is not touched. */
export type Sendable = Json | JsonText;
