/** dunebugger-remote.conf(5), from the table of settings. Pure. */
import { shown } from '../main/settings/diff.js';
import { ROWS, type SettingName, type Spec } from '../main/settings/table.js';
import type { Edition } from './command-page.js';
import { entry, heading, literal, pageText, subheading, text } from './roff.js';

export function confPage({ version, date }: Edition): string {
  const sections = [...new Set(ROWS.flatMap(([, { section }]) => section ?? []))];
  return pageText({
    title: 'DUNEBUGGER-REMOTE.CONF',
    section: 5,
    date,
    source: `dunebugger-remote ${version}`,
    body: [
      heading('NAME'),
      'dunebugger\\-remote.conf \\- settings of dunebugger\\-remote',
      heading('SYNOPSIS'),
      '/etc/dunebugger\\-remote/dunebugger.conf',
      heading('DESCRIPTION'),
      ...text(
        'Sections in brackets, and in them a key and a value a line. A comment begins with # or ; at the start of a line, or after a blank behind a value. A line that is indented further goes on with the value above it. Every key may be left out.',
      ),
      ...literal(['[Websocket]', 'testDomain = example.org', 'connectionIntervalSecs = 10  # a slow line']),
      '.PP',
      ...text(
        'A value is taken from the first of these that has it: a file of its name in the directory of credentials (secrets only), a variable of the environment, a .env beside the conf file, the conf file, the default.',
      ),
      '.PP',
      ...text(
        'What is wrong is named with its line, all of it at once, and nothing starts (exit status 78). An unknown key is a warning. dunebugger-remote config check says the same of a file, and dunebugger-remote config show where each value came from. What can be taken over by systemctl reload dunebugger-remote is marked so below; everything else needs a restart.',
      ),
      heading('SETTINGS'),
      ...sections.flatMap((section) => [
        subheading(`[${section}]`),
        ...ROWS.filter(([, spec]) => spec.section === section).flatMap(ofSetting),
      ]),
      heading('ENVIRONMENT'),
      ...text(
        'These stand in /etc/dunebugger-remote/environment, and not in the conf file. The secrets may be files of their names in /etc/dunebugger-remote/credentials instead.',
      ),
      ...ROWS.filter(([, { section }]) => section === undefined).flatMap(ofSetting),
      heading('SEE ALSO'),
      '.BR dunebugger\\-remote (1)',
    ],
  });
}

function ofSetting([key, spec]: readonly [SettingName, Spec<unknown>]): readonly string[] {
  const inConf = spec.section !== undefined;
  const facts = [
    `Takes ${spec.type.allowed}.`,
    ...(inConf ? [`Default: ${shown(spec, spec.default).replaceAll(',', ', ')}.`, `Variable: ${spec.envName}.`] : []),
    ...(spec.secret ? ['A secret: no command shows it.'] : []),
    ...(spec.live && inConf ? ['Taken over by a reload.'] : []),
  ];
  return entry(inConf ? key : spec.envName, '', [...text(spec.what), '.br', ...text(facts.join(' '))]);
}
