import { parseEnv } from 'node:util';

/** An environment: the process's own, or one read from a `.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables of a `.env`, read by Node's own parser.
 *
 * Node's begins a comment at any `#` of an unquoted value, python-dotenv (which these files were written for) only at a blank before
 * it; a password with a `#` in it would be cut in silence. Such values are quoted first.
 */
export function parseDotEnv(text: string): Map<string, string> {
  const quoted = text.replace(
    /^([ \t]*(?:export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*=[ \t]*)([^\s'"`][^\r\n]*)$/gm,
    (whole, name: string, rest: string) => {
      const value = rest.replace(/[ \t]+#.*$/, '').trimEnd();
      const quote = ["'", '"', '`'].find((sign) => !value.includes(sign));
      return value.includes('#') && quote !== undefined ? `${name}${quote}${value}${quote}` : whole;
    },
  );
  return variablesOf(parseEnv(quoted));
}

/** The variables that say something: one that is set to nothing counts as not set. */
export function variablesOf(env: Environment): Map<string, string> {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && value !== '') variables.set(name, value);
  }
  return variables;
}
