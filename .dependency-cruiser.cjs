/** Files that decide: they import nothing with effects. */
const PURE = [
  'main/base/json-scan',
  'main/cli/(commands|help)|main/cli/migrate/(plan|step|words|environment-file)',
  'main/clock/(cadence|decision|site)',
  'main/connection/credentials/kept-url',
  'main/connection/(state|transition|transition/[a-z-]+|backoff|spread|policy|narration|web-pubsub/recovery-pace)',
  'main/internet-monitor/site-fault',
  'main/observe/(parts|present|chain|snapshot|metrics)',
  'main/observe/http/host',
  'main/observe/page/(charts|html|languages|sections|strips|times|troubles-it|words|words-en|words-it)',
  'main/remote/updates/(request|status)|main/remote/(router|json-bounds|relay|heartbeat|outbox|token-bucket|component-watch)',
  'main/troubles',
  'main/troubles/(types|internet|names|proxies|cloud|house|looked|own|first-cause)',
  'workers/net/(address-memory|name-answers|proxy-answers|site-clock)',
  'workers/probe/(portal-answer|manner|patience)',
  'workers/(proof|verdict|link-pace|saver)',
];

/** The boundaries of ARCHITECTURE.md, as rules. `npm run boundaries` checks them. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    {
      name: 'worker-knows-nothing-of-main',
      comment: 'The worker thread is told everything by message.',
      severity: 'error',
      from: { path: '^src/workers' },
      to: { path: '^src/main' },
    },
    {
      name: 'main-sees-only-the-protocol-and-the-network',
      comment:
        'The main thread imports of the worker the protocol of the two threads, and the one resolver and the one way out they share.',
      severity: 'error',
      from: { path: '^src/main' },
      to: { path: '^src/workers', pathNot: '^src/workers/((protocol|quiet-checks)\\.ts$|net/)' },
    },
    {
      name: 'the-network-knows-only-the-protocol',
      comment: 'Both threads import it, so it imports neither.',
      severity: 'error',
      from: { path: '^src/workers/net/' },
      to: { path: '^src/', pathNot: '^src/workers/(protocol\\.ts$|net/)' },
    },
    {
      name: 'protocol-imports-nothing',
      severity: 'error',
      from: { path: '^src/workers/protocol\\.ts$' },
      to: {},
    },
    {
      name: 'base-is-the-ground-floor',
      comment: 'Everybody may use it, so it uses nobody.',
      severity: 'error',
      from: { path: '^src/main/base/' },
      to: { path: '^src/', pathNot: '^src/main/base/' },
    },
    {
      name: 'monitor-knows-no-connection',
      comment: 'The two meet in daemon.ts only; the monitor is a library of its own.',
      severity: 'error',
      from: { path: '^src/main/internet-monitor' },
      to: { path: '^src/main/(connection|remote)(/|\\.ts$)' },
    },
    {
      name: 'connection-knows-no-monitor',
      severity: 'error',
      from: { path: '^src/main/connection/' },
      to: { path: '^src/main/(internet-monitor|remote)(/|\\.ts$)' },
    },
    {
      name: 'remote-sees-only-the-session',
      comment: 'What is carried knows what a session is, and nothing of when and how one is made.',
      severity: 'error',
      from: { path: '^src/main/remote(/|\\.ts$)' },
      to: { path: '^src/main/connection/', pathNot: '^src/main/connection/session\\.ts$' },
    },
    {
      name: 'decisions-are-pure',
      comment: 'A pure file decides; timers, sockets and files belong to the edges.',
      severity: 'error',
      from: {
        path: `^src/(${PURE.join('|')})\\.ts$`,
      },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'troubles-know-only-the-reasons',
      comment: 'Every outlet reads the table, so it reads nobody.',
      severity: 'error',
      from: { path: '^src/main/troubles(/|\\.ts$)' },
      to: { path: '^src/', pathNot: '^src/(main/troubles/|workers/protocol\\.ts$)' },
    },
    {
      name: 'observe-knows-no-part',
      comment: 'The parts contribute how they are; outlets read the snapshot and the table of troubles.',
      severity: 'error',
      from: { path: '^src/main/observe/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(main/(observe|base|troubles)/|main/(troubles|status-text|evidence-text)\\.ts$|main/log/(escape|redact)\\.ts$|workers/protocol\\.ts$)',
      },
    },
    {
      name: 'source-never-imports-tests',
      severity: 'error',
      from: { path: '^src' },
      to: { path: '^test' },
    },
    {
      name: 'azure-client-behind-one-seam',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/main/connection/web-pubsub' },
      to: { path: '@azure/web-pubsub-client' },
    },
    {
      name: 'compose-files-are-migrates',
      comment: 'The daemon does without a YAML reader.',
      severity: 'error',
      from: { path: '^src', pathNot: '^src/main/cli/migrate/' },
      to: { path: 'node_modules/yaml/' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src', pathNot: '(protocol|index|cli)\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
