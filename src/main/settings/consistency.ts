import { printable } from '../log/redact.js';
import { uselessExceptions } from './proxy.js';
import { nameOf, type SettingName, type Settings } from './table.js';

/** What no single value shows. Names with a problem of their own are not reported twice. */
export function checkTogether(
  settings: Settings,
  bad: ReadonlySet<SettingName>,
  purpose: 'run' | 'check',
  problems: string[],
  warnings: string[],
): void {
  if (settings.backoffCapSecs < settings.backoffBaseSecs && !bad.has('backoffBaseSecs') && !bad.has('backoffCapSecs')) {
    problems.push(
      `[Websocket] backoffCapSecs = ${settings.backoffCapSecs} is less than backoffBaseSecs = ${settings.backoffBaseSecs}: give at least as much.`,
    );
  }
  if (settings.connectionTimeoutSecs > settings.connectionIntervalSecs) {
    warnings.push(
      `[Websocket] connectionTimeoutSecs = ${settings.connectionTimeoutSecs} is more than connectionIntervalSecs = ${settings.connectionIntervalSecs}: a failing check delays the next one`,
    );
  }
  if (settings.heartBeatEverySecs > settings.heartBeatLoopDurationSecs) {
    warnings.push(
      `[Websocket] heartBeatEverySecs = ${settings.heartBeatEverySecs} is more than heartBeatLoopDurationSecs = ${settings.heartBeatLoopDurationSecs}: no heartbeat will be repeated`,
    );
  }
  const useless = uselessExceptions(settings.noProxy);
  if (settings.httpsProxy !== '' && useless.length > 0) {
    warnings.push(
      `[Network] noProxy: ${useless.map((entry) => `"${printable(entry, 80)}"`).join(', ')} can match nothing: give a name (example.org, which stands for all below it), an address or a network (192.168.0.0/16)`,
    );
  }
  if (purpose === 'check' || !settings.websocketEnabled) return;

  if (settings.wsGroupName === '' && !bad.has('wsGroupName')) {
    problems.push('WS_GROUP_NAME is not set: name the group of this installation in the environment or in .env.');
  }
  const signIn: readonly SettingName[] = [
    'authURL',
    'auth0ClientId',
    'auth0ClientSecret',
    'auth0Username',
    'auth0Password',
  ];
  const given = (key: SettingName): boolean => settings[key] !== '' || bad.has(key);
  const missing = signIn.filter((key) => !given(key));
  if (!given('clientUrl') && !given('negotiateUrl') && missing.length > 0) {
    problems.push(
      `There is no way to sign in: ${missing.map(nameOf).join(', ')} ${missing.length === 1 ? 'is' : 'are'} not set. ` +
        'Set all of [Auth] authURL, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET, AUTH0_USERNAME and AUTH0_PASSWORD, or WEBPUBSUB_NEGOTIATE_URL, ' +
        'or WEBPUBSUB_CLIENT_URL; or set [Websocket] websocketEnabled = False.',
    );
  }
}
