/** The tables of README.md that are made from the table of troubles. Pure. */
import { NAMES, type NameWords } from '../../src/main/troubles/names.js';
import { PROXIES } from '../../src/main/troubles/proxies.js';
import { ASKED_CODES, OFFLINE_REASONS, TROUBLES, type Trouble, type TroubleCode } from '../../src/main/troubles.js';

/** The README with its tables made anew; all else as it is. @throws {Error} if the marks of a table are not there */
export function withTables(readme: string): string {
  const first = between(
    between(between(readme, 'reasons', reasons()), 'names', found(NAMES)),
    'proxies',
    found(PROXIES),
  );
  return between(between(first, 'lines', lines()), 'asked', asked());
}

function reasons(): string[] {
  return [...head('reason in the journal'), ...OFFLINE_REASONS.map((code) => row(asCode(code), TROUBLES[code]))];
}

function found(rows: Readonly<Record<string, NameWords>>): string[] {
  return [
    '| found | it means | what to do |',
    '| --- | --- | --- |',
    ...Object.entries(rows).map(([code, { meaning, remedy }]) => `| ${asCode(code)} | ${meaning} | ${remedy} |`),
  ];
}

function asked(): string[] {
  return [...head('what a command finds'), ...ASKED_CODES.map((code) => row(TROUBLES[code].title, TROUBLES[code]))];
}

function lines(): string[] {
  const others = (Object.keys(TROUBLES) as TroubleCode[]).map((code) => TROUBLES[code]);
  return [
    ...head('line'),
    ...others
      .filter((trouble) => trouble.lines.length > 0)
      .map((trouble) => row(trouble.lines.map(asCode).join('<br>'), trouble)),
  ];
}

function head(first: string): string[] {
  return [`| ${first} | it means | what to do |`, '| --- | --- | --- |'];
}

function row(first: string, { meaning, remedy }: Trouble): string {
  return `| ${first} | ${meaning} | ${remedy} |`;
}

/** As Markdown's code, which needs longer fences around text with backticks, and a space where the text begins with one. */
function asCode(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

function between(readme: string, name: string, table: readonly string[]): string {
  const begin = `<!-- ${name}: made by \`npm run readme\` -->\n`;
  const from = readme.indexOf(begin) + begin.length;
  const to = readme.indexOf('<!-- end -->', from);
  if (from < begin.length || to === -1) throw new Error(`README.md has no marks for its table of ${name}`);
  return `${readme.slice(0, from)}\n${table.join('\n')}\n\n${readme.slice(to)}`;
}
