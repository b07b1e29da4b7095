/** The manual pages: what roff would take for something else, and that nothing of the tables is missing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMAND_NAMES } from '../../src/main/cli/commands.js';
import { ROWS } from '../../src/main/settings/table.js';
import { commandPage } from '../../src/manual/command-page.js';
import { confPage } from '../../src/manual/conf-page.js';
import { entry, literal, text } from '../../src/manual/roff.js';

const EDITION = { version: '1.2.3', date: '2026-11-25' };

describe('text for roff', () => {
  it('no sign is taken for a command or printed as another', () => {
    assert.deepEqual(text('.env beside it'), ['\\&.env beside it']);
    assert.deepEqual(text("'quoted' `code` a\\b --json ~ ^"), [
      '\\(aqquoted\\(aq \\(gacode\\(ga a\\eb \\-\\-json \\(ti \\(ha',
    ]);
    assert.deepEqual(literal(['.TH']).slice(3, 4), ['\\&.TH']);
    assert.deepEqual(entry('--config', 'FILE', ['x']), ['.TP', '.BI "\\-\\-config " "FILE"', 'x']);
  });

  it('a sentence begins a line, and no line is longer than 80 characters', () => {
    const long = `One. Two follows, ${'word '.repeat(40)}end.`;
    const lines = text(long);
    assert.equal(lines[0], 'One.');
    assert.match(lines[1]!, /^Two follows,/);
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.equal(lines.join(' '), long);
  });
});

describe('the manual pages', () => {
  it('have the version and the date, and the same bytes each time', () => {
    const page = commandPage(EDITION);
    assert.equal(page, commandPage(EDITION));
    assert.match(page, /^\.TH DUNEBUGGER-REMOTE 1 2026-11-25 "dunebugger\\-remote 1\.2\.3"$/m);
  });

  it('have every command, and every setting with its default', () => {
    const commands = commandPage(EDITION);
    for (const name of COMMAND_NAMES) assert.match(commands, new RegExp(`^\\.SS "${name}[ "]`, 'm'));
    const conf = confPage(EDITION).replaceAll('\\-', '-');
    for (const [key, { section, envName }] of ROWS) {
      assert.match(conf, new RegExp(`^\\.B ${section === undefined ? envName : key}$`, 'm'));
      assert.ok(conf.includes(envName), envName);
    }
    assert.match(conf, /Default: smart\.dunebugger\.it\./);
  });
});
