/** Where a setting's value stands. Pure. */
export type Source =
  | { readonly kind: 'default' }
  /** A line of the conf file, from 1. */
  | { readonly kind: 'conf'; readonly file: string; readonly line: number }
  /** A variable in a file: a `.env`, or the one that systemd reads for the service. */
  | { readonly kind: 'variables'; readonly file: string; readonly name: string }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'credential'; readonly file: string }
  | { readonly kind: 'option'; readonly option: string };

/** Such as `/etc/x.conf, line 3` or `environment variable X`; for messages. */
export function sourceWords(source: Source): string {
  switch (source.kind) {
    case 'default':
      return 'default';
    case 'conf':
      return `${source.file}, line ${source.line}`;
    case 'variables':
      return `${source.file}, ${source.name}`;
    case 'environment':
      return `environment variable ${source.name}`;
    case 'credential':
      return `credential ${source.file}`;
    case 'option':
      return `option ${source.option}`;
  }
}
