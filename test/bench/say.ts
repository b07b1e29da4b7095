/** A line of a program under measurement, in the form of the daemon's own JSON log, so that the same reader serves both. */
export function say(msg: string, fields: object = {}): void {
  process.stdout.write(`${JSON.stringify({ level: 'info', time: new Date().toISOString(), msg, ...fields })}\n`);
}
