/** Writes manual pages and completion into a folder: `node main.js FOLDER VERSION DATE`. For the package's build. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROGRAM } from '../main/cli/commands.js';
import { commandPage } from './command-page.js';
import { bashCompletion } from './completion.js';
import { confPage } from './conf-page.js';

const [folder, version, date] = process.argv.slice(2);
if (folder === undefined || version === undefined || date === undefined)
  throw new Error('say the folder, the version and the date');
mkdirSync(folder, { recursive: true });
writeFileSync(path.join(folder, `${PROGRAM}.1`), commandPage({ version, date }));
writeFileSync(path.join(folder, `${PROGRAM}.conf.5`), confPage({ version, date }));
writeFileSync(path.join(folder, PROGRAM), bashCompletion());
