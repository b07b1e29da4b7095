/** The sandbox under systemd 257. */
import { describeSandbox } from './sandbox.js';

describeSandbox('trixie');
