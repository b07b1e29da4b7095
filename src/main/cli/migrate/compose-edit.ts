/**
 * Takes the old component out of a compose file, and out of every `depends_on`. Its lines are cut out of the text, so that comments
 * and layout stay; where a file is laid out so that lines cannot be cut, it is written anew. Either way the outcome is read again and
 * compared with what it must say. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import { isCollection, isMap, isScalar, isSeq, type Pair } from 'yaml';
import { isRecord, parseCompose, plainOf, readCompose, servicesOf } from './compose.js';
import { OLD_REMOTE } from './places.js';

export type ComposeEdit =
  | {
      readonly kind: 'edited';
      readonly text: string;
      /** Services that are no longer there. */
      readonly removed: readonly string[];
      /** Services that no longer depend on them. */
      readonly freed: readonly string[];
    }
  /** Nothing of the old component is in it. */
  | { readonly kind: 'unchanged' }
  /** `why` completes a sentence that begins with the file's name. */
  | { readonly kind: 'impossible'; readonly why: string };

export function withoutRemote(text: string): ComposeEdit {
  const reading = readCompose(text);
  if (reading.kind === 'unreadable') return { kind: 'impossible', why: reading.why };
  const { services } = reading;
  const removed = services.filter(({ role }) => role === 'remote');
  const rest = services.filter(({ role }) => role !== 'remote');
  // The newest installer's file names the container instead of the service, which Docker Compose itself refuses.
  const gone = new Set([OLD_REMOTE, ...removed.flatMap(({ name, containerName }) => [name, containerName ?? name])]);
  for (const { name } of rest) gone.delete(name);
  const dependants = rest.filter(({ dependsOn }) => dependsOn.some((name) => gone.has(name)));
  if (removed.length === 0 && dependants.length === 0) return { kind: 'unchanged' };
  const stuck = rest.find(({ refersTo }) => refersTo.some(({ name }) => gone.has(name)));
  if (stuck !== undefined) {
    const { field } = stuck.refersTo.find(({ name }) => gone.has(name)) ?? { field: '' };
    return { kind: 'impossible', why: `has a service ${stuck.name} that needs the old one by its \`${field}\`` };
  }

  const wanted = wantedOf(plainOf(parseCompose(text)), new Set(removed.map(({ name }) => name)), gone);
  for (const edit of [cutLines, writeAnew]) {
    const edited = edit(text, new Set(removed.map(({ name }) => name)), gone);
    if (edited === undefined) continue;
    const again = parseCompose(edited);
    if (again.errors.length > 0 || !isDeepStrictEqual(plainOf(again), wanted)) continue;
    return {
      kind: 'edited',
      text: edited,
      removed: removed.map(({ name }) => name),
      freed: dependants.map(({ name }) => name),
    };
  }
  return { kind: 'impossible', why: 'uses parts of the old service elsewhere (an anchor?)' };
}

/** What the file must say afterwards. */
function wantedOf(plain: unknown, removed: ReadonlySet<string>, gone: ReadonlySet<string>): unknown {
  const copy = structuredClone(plain) as { services: Record<string, unknown> };
  const staying = Object.entries(copy.services).filter(([name]) => !removed.has(name));
  copy.services = Object.fromEntries(staying.map(([name, service]) => [name, freed(service, gone)]));
  return copy;
}

function freed(service: unknown, gone: ReadonlySet<string>): unknown {
  if (!isRecord(service)) return service;
  const { depends_on: before, ...rest } = service;
  if (!isRecord(before) && !Array.isArray(before)) return service;
  const after = isRecord(before)
    ? Object.fromEntries(Object.entries(before).filter(([name]) => !gone.has(name)))
    : before.filter((name) => !gone.has(String(name)));
  if (Object.keys(after).length === Object.keys(before).length) return service;
  return Object.keys(after).length === 0 ? rest : { ...rest, depends_on: after };
}

type Edit = (text: string, removed: ReadonlySet<string>, gone: ReadonlySet<string>) => string | undefined;

/** Part of the text, from its start up to its end, and what stands there instead. */
interface Cut {
  readonly start: number;
  readonly end: number;
  readonly instead: string;
}

const cutLines: Edit = (text, removed, gone) => {
  const services = servicesOf(parseCompose(text));
  if (services === undefined || services.flow === true) return undefined;
  const cuts: (Cut | undefined)[] = [];
  for (const pair of services.items) {
    if (removed.has(keyOf(pair))) {
      cuts.push(pairCut(text, pair));
      continue;
    }
    const needs = isMap(pair.value) ? pair.value.items.find((item) => keyOf(item) === 'depends_on') : undefined;
    if (needs !== undefined) cuts.push(...freeingCuts(text, needs, gone));
  }
  if (removed.size === services.items.length) return undefined;
  let edited = text;
  for (const cut of cuts.sort((a, b) => (b?.start ?? 0) - (a?.start ?? 0))) {
    if (cut === undefined) return undefined;
    edited = `${edited.slice(0, cut.start)}${cut.instead}${edited.slice(cut.end)}`;
  }
  return edited;
};

function freeingCuts(text: string, needs: Pair, gone: ReadonlySet<string>): readonly (Cut | undefined)[] {
  const { value } = needs;
  if (isSeq(value)) {
    const staying = value.items.filter((item) => !gone.has(nameOf(item)));
    if (staying.length === value.items.length) return [];
    if (staying.length === 0) return [pairCut(text, needs)];
    if (value.flow !== true) {
      return value.items.filter((item) => gone.has(nameOf(item))).map((item) => itemCut(text, item));
    }
    const [start, end] = value.range ?? [];
    const names = staying.map(nameOf);
    if (start === undefined || end === undefined || !names.every((name) => /^[\w.-]+$/.test(name))) return [undefined];
    return [{ start, end, instead: `[${names.join(', ')}]` }];
  }
  if (isMap(value)) {
    const going = value.items.filter((item) => gone.has(keyOf(item)));
    if (going.length === 0) return [];
    if (going.length === value.items.length) return [pairCut(text, needs)];
    return value.flow === true ? [undefined] : going.map((item) => pairCut(text, item));
  }
  return [];
}

/** A pair with its lines; undefined if it shares one with something else. */
function pairCut(text: string, pair: Pair): Cut | undefined {
  const start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
  if (start === undefined) return undefined;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  if (text.slice(lineStart, start).trim() !== '') return undefined;
  return wholeLines(text, lineStart, Math.max(endOf(pair.key), endOf(pair.value)));
}

function itemCut(text: string, item: unknown): Cut | undefined {
  const start = isScalar(item) ? item.range?.[0] : undefined;
  if (start === undefined) return undefined;
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  return /^\s*-\s+$/.test(text.slice(lineStart, start)) ? wholeLines(text, lineStart, endOf(item)) : undefined;
}

function wholeLines(text: string, start: number, contentEnd: number): Cut {
  let end = contentEnd;
  if (text[end - 1] !== '\n') {
    const newline = text.indexOf('\n', end);
    end = newline === -1 ? text.length : newline + 1;
  }
  // An empty line before, or the line that opens the block, and an empty one after would leave a hole.
  const emptyAfter = /^[ \t]*\r?\n/.exec(text.slice(end))?.[0];
  if (emptyAfter !== undefined && /(?:^|\n|:)[ \t]*\r?\n$/.test(text.slice(0, start))) end += emptyAfter.length;
  return { start, end, instead: '' };
}

/** Where the last thing that it says ends; the range of a block collection also holds comments that belong to what follows. */
function endOf(node: unknown): number {
  if (isCollection(node) && node.flow !== true) {
    const ends = node.items.map((item) =>
      isMap(node) ? Math.max(endOf((item as Pair).key), endOf((item as Pair).value)) : endOf(item),
    );
    return Math.max(...ends, node.range?.[0] ?? 0);
  }
  return (node as { range?: readonly number[] | null } | null | undefined)?.range?.[1] ?? 0;
}

const writeAnew: Edit = (text, removed, gone) => {
  const document = parseCompose(text);
  const services = servicesOf(document);
  if (services === undefined) return undefined;
  for (const name of removed) services.delete(name);
  for (const { value } of services.items) {
    if (!isMap(value)) continue;
    const needs = value.get('depends_on', true);
    if (isMap(needs)) for (const name of gone) needs.delete(name);
    else if (isSeq(needs)) needs.items = needs.items.filter((item) => !gone.has(nameOf(item)));
    if (isCollection(needs) && needs.items.length === 0) value.delete('depends_on');
  }
  // An empty block would be nothing at all, which is no compose file.
  if (services.items.length === 0) services.flow = true;
  try {
    return document.toString({ lineWidth: 0 });
  } catch {
    return undefined;
  }
};

function keyOf(pair: Pair): string {
  return nameOf(pair.key);
}

function nameOf(node: unknown): string {
  return isScalar(node) ? String(node.value) : '';
}
