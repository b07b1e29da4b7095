/** A stream to the journal of our own: for when the one that systemd made has ended, since journald was stopped. */
import { connect } from 'node:net';
import type { Sink } from './writer.js';

/** Where journald takes streams; anybody may connect. */
const SOCKET = '/run/systemd/journal/stdout';
/** Deadline of the connection, milliseconds. */
const CONNECT_MS = 2_000;
/** What may lie in the socket's own buffer, bytes; the rest waits in the writer, which counts what it drops. */
const MOST_BUFFERED_BYTES = 64 * 1024;
/** Name, unit (journald knows it), priority of a line without one, `<N>` at its start is one, no forwarding: as sd_journal_stream_fd(3) sends it. */
const HEADER = ['dunebugger-remote', '', '6', '1', '0', '0', '0', ''].join('\n');

export interface JournalStreamOptions {
  /** Default: journald's. */
  readonly path?: string;
  /** A line that was handed over and did not arrive. */
  readonly onLost: () => void;
}

/** Calls back once, with undefined if journald is not there. The stream keeps no process alive. */
export function openJournalStream(
  { path = SOCKET, onLost }: JournalStreamOptions,
  opened: (sink: Sink | undefined) => void,
): void {
  const socket = connect({ path });
  socket.unref();
  const timer = setTimeout(() => socket.destroy(), CONNECT_MS).unref();
  let answered = false;
  const answer = (sink: Sink | undefined): void => {
    if (answered) return;
    answered = true;
    clearTimeout(timer);
    opened(sink);
  };
  socket.on('error', () => undefined);
  socket.on('close', () => answer(undefined));
  socket.once('connect', () => {
    socket.write(HEADER);
    // It says nothing; read so that its end is noticed.
    socket.resume();
    answer((bytes, offset) => {
      if (!socket.writable) throw Object.assign(new Error('the stream has ended'), { code: 'EPIPE' });
      if (socket.writableLength > MOST_BUFFERED_BYTES) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      socket.write(bytes.subarray(offset), (error) => {
        if (error) onLost();
      });
      return bytes.length - offset;
    });
  });
}
