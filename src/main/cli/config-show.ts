/** `dunebugger-remote config show`: each value, and where it came from. */
import { createRedactor, type Redactor } from '../log/redact.js';
import { secretsOf, shown } from '../settings.js';
import { sourceWords, type Source } from '../settings/source.js';
import { ROWS, type SettingName, type Spec } from '../settings/table.js';
import { filesOf } from './config-check.js';
import { viewSettings, type View } from './config/view.js';

/** sysexits.h: EX_CONFIG. */
const EXIT_WRONG = 78;
/** Columns of a name and a value; longer ones push the rest to the right. */
const NAME_COLUMNS = 26;
const VALUE_COLUMNS = 24;

export async function configShow({
  file,
  json,
}: {
  readonly file: string | undefined;
  readonly json: boolean;
}): Promise<number> {
  const view = await viewSettings(file);
  const redact = createRedactor(secretsOf(view.settings));
  process.stdout.write(
    json ? `${JSON.stringify(showJson(view, redact), undefined, 2)}\n` : `${showLines(view, redact).join('\n')}\n`,
  );
  for (const problem of view.problems) process.stderr.write(`Error: ${redact(problem)}\n`);
  return view.problems.length > 0 ? EXIT_WRONG : 0;
}

export function showLines(view: View, redact: Redactor): readonly string[] {
  const sections = [...new Set(ROWS.map(([, { section }]) => section))];
  return [
    `Read${view.ofService ? ' as the service has it' : ''}: ${filesOf(view).join(', ') || 'no file'}`,
    ...view.hidden.map((path) => `Not looked at: ${path} may not be read by this user; ask with sudo`),
    ...sections.flatMap((section) => [
      '',
      section === undefined ? 'Environment and credentials' : `[${section}]`,
      ...ROWS.filter(([, spec]) => spec.section === section).map(([key, spec]) => `  ${line(key, spec, view, redact)}`),
    ]),
  ];
}

function line(key: SettingName, spec: Spec<unknown>, view: View, redact: Redactor): string {
  const [source, ...others] = view.foundAt[key];
  const name = spec.section === undefined ? spec.envName : key;
  const from = view.bad.has(key) ? `${whence(source)}: not allowed, see the error` : whence(source);
  const standard = shown(spec, spec.default);
  const asDefault = spec.secret || source === undefined || shown(spec, view.settings[key]) === standard;
  const unlike = asDefault ? '' : `; default ${standard}`;
  const also = others.length === 0 ? '' : `; not counting: ${others.map(sourceWords).join(', ')}`;
  return `${name.padEnd(NAME_COLUMNS)} ${text(key, spec, view, redact).padEnd(VALUE_COLUMNS)} ${from}${unlike}${also}`;
}

function text(key: SettingName, spec: Spec<unknown>, { settings }: View, redact: Redactor): string {
  if (!spec.secret) return redact(shown(spec, settings[key]));
  return settings[key] === '' ? '(not set)' : '(set, not shown)';
}

function whence(source: Source | undefined): string {
  return source === undefined ? 'default' : sourceWords(source);
}

/** For programs; members may be added. */
export function showJson(view: View, redact: Redactor): object {
  const { sources, environmentFiles, hidden, problems, warnings } = view;
  return {
    ofService: view.ofService,
    confFile: sources.confFile ?? null,
    envFile: sources.envFile ?? null,
    environmentFiles,
    hidden,
    problems: problems.map(redact),
    warnings: warnings.map(redact),
    settings: ROWS.map(([key, spec]) => {
      const [source = { kind: 'default' }, ...others] = view.foundAt[key];
      return {
        section: spec.section ?? null,
        name: spec.section === undefined ? spec.envName : key,
        variable: spec.envName,
        ...valueOf(key, spec, view, redact),
        ...(spec.secret ? {} : { default: spec.default }),
        source,
        notCounting: others,
        allowed: !view.bad.has(key),
        byReload: spec.live,
      };
    }),
  };
}

/** A secret's value does not appear, but whether it is set. */
function valueOf(key: SettingName, spec: Spec<unknown>, { settings }: View, redact: Redactor): object {
  const value = settings[key];
  if (spec.secret) return { secret: true, set: value !== '' };
  const clean = (item: string): string => redact(shown(spec, item));
  if (typeof value === 'string') return { secret: false, value: value === '' ? '' : clean(value) };
  return { secret: false, value: typeof value === 'object' ? value.map(clean) : value };
}
