/** `npm run readme`: makes the tables of README.md anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from './readme.js';

const README = new URL('../../../README.md', import.meta.url);

writeFileSync(README, withTables(readFileSync(README, 'utf8')));
