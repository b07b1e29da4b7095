/** The part of JSON Schema that our own schema uses; a keyword beyond it is an error, so that nothing goes unchecked. */
import type { Json } from '../../src/main/base/json.js';

type Schema = Readonly<Record<string, unknown>>;

const KNOWN = new Set(
  '$schema $defs $ref title description type required properties items enum const anyOf'.split(' '),
);

/** What is wrong with the value, a line each; none: it fits. A member that the schema does not name is wrong. */
export function problemsWith(value: Json, schema: Schema, root: Schema = schema, at = '$'): readonly string[] {
  const strange = Object.keys(schema).filter((keyword) => !KNOWN.has(keyword));
  if (strange.length > 0) return [`${at}: the schema uses ${strange.join(', ')}`];
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = reference.replace('#/$defs/', '');
    return problemsWith(value, (root['$defs'] as Record<string, Schema>)[name] ?? {}, root, at);
  }
  const options = schema['anyOf'] as readonly Schema[] | undefined;
  if (options !== undefined) {
    const all = options.map((option) => problemsWith(value, option, root, at));
    return all.find((problems) => problems.length === 0) ?? all.flat();
  }
  const problems: string[] = [];
  const say = (what: string): number => problems.push(`${at} is ${JSON.stringify(value)}: ${what}`);
  if ('const' in schema && value !== schema['const']) say(`not ${JSON.stringify(schema['const'])}`);
  const words = schema['enum'] as readonly unknown[] | undefined;
  if (words !== undefined && !words.includes(value)) say(`none of ${JSON.stringify(words)}`);
  const types = schema['type'] === undefined ? undefined : [schema['type']].flat();
  if (types !== undefined && !types.includes(typeOf(value))) say(`not of ${JSON.stringify(types)}`);
  if (Array.isArray(value)) {
    const items = schema['items'] as Schema | undefined;
    if (items !== undefined)
      value.forEach((item: Json, index) => problems.push(...problemsWith(item, items, root, `${at}[${index}]`)));
  } else if (typeof value === 'object' && value !== null) {
    const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
    const members = value as Readonly<Record<string, Json>>;
    for (const name of (schema['required'] ?? []) as readonly string[])
      if (!(name in members)) problems.push(`${at}.${name} is missing`);
    for (const [name, member] of Object.entries(members)) {
      const known = properties[name];
      if (known === undefined) problems.push(`${at}.${name} is not in the schema`);
      else problems.push(...problemsWith(member, known, root, `${at}.${name}`));
    }
  }
  return problems;
}

function typeOf(value: Json): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
