/**
 * A TCP connection over one interface, whatever the routes prefer. Binding a socket to a local address does not do that: the kernel chooses the way by the
 * destination. Binding it to a device does, and needs no right since Linux 5.7, but Node cannot; perl can, and is on every Debian (perl-base is
 * essential). So a child connects and hands the bytes on; what is proved is proved by TLS, end to end.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** Beyond that the child ends by itself, should nobody end it, seconds. */
const CHILD_SECS = 30;
/** A child whose connection is given up is killed after that. */
const KILL_AFTER_MS = 500;
/** SO_BINDTODEVICE of socket(7), the same number on every architecture that Debian has. */
const SO_BINDTODEVICE = 25;

/** First byte of the child: it is connected, or there is no way. None: it cannot tell. */
const CONNECTED = '+';
const NO_WAY = '-';

const PROGRAM = `
use strict; use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);
my ($device, $address, $port) = @ARGV;
alarm ${CHILD_SECS};
open(my $us, '+<&=', 3) or exit;
my $six = $address =~ /:/;
my $family = $six ? AF_INET6 : AF_INET;
my $ip = inet_pton($family, $address) or exit;
socket(my $net, $family, SOCK_STREAM, 0) or exit;
setsockopt($net, SOL_SOCKET, ${SO_BINDTODEVICE}, "$device\\0") or exit;
my $is = connect($net, $six ? pack_sockaddr_in6($port, $ip) : pack_sockaddr_in($port, $ip));
syswrite($us, $is ? '${CONNECTED}' : '${NO_WAY}');
while ($is) {
  my $ready = '';
  vec($ready, fileno($_), 1) = 1 for $net, $us;
  select($ready, undef, undef, undef);
  for my $from ($net, $us) {
    next unless vec($ready, fileno($from), 1);
    sysread($from, my $bytes, 16384) or exit;
    my $to = $from == $net ? $us : $net;
    while (length $bytes) { my $n = syswrite($to, $bytes) or exit; substr($bytes, 0, $n) = ''; }
  }
}
`;

/** Nothing can be said of the interface: perl is missing, or the sandbox or the kernel forbids it. */
export class UnknownWayError extends Error {
  readonly code = 'ERR_UNKNOWN_WAY';
}

export type Dial = (address: string, port: number) => Socket;

/**
 * Sockets that say 'connect' when the child has connected, and fail otherwise: by {@link UnknownWayError}, or `EHOSTUNREACH`. Destroying one ends the
 * child, which otherwise ends with the connection.
 * @param perl default: `perl` of the PATH
 */
export function over(device: string, perl = 'perl'): Dial {
  return (address, port) => {
    let child;
    try {
      child = spawn(perl, ['-e', PROGRAM, device, address, String(port)], {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        env: { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/bin`, LC_ALL: 'C' },
        cwd: '/',
      });
    } catch (error) {
      return new Socket().destroy(new UnknownWayError(String(error)));
    }
    const { pid } = child;
    const socket: unknown = child.stdio[3];
    // Why there is none, or a signal that could not be sent.
    child.on('error', () => undefined);
    if (!(socket instanceof Socket) || pid === undefined) return new Socket().destroy(new UnknownWayError('no child'));
    const onReadable = (): void => {
      const first = socket.read(1) as Buffer | null;
      if (first === null) return;
      socket.off('readable', onReadable);
      socket.off('end', onEnd);
      if (first.toString() === CONNECTED) socket.emit('connect');
      else socket.destroy(Object.assign(new Error('no way'), { code: 'EHOSTUNREACH' }));
    };
    const onEnd = (): void => void socket.destroy(new UnknownWayError('the child could not bind to it'));
    socket.on('readable', onReadable);
    socket.on('end', onEnd);
    socket.once('close', () => {
      // What was written last is still on its way through the child, which then ends by itself unless it is connecting.
      const kill = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
      child.once('exit', () => clearTimeout(kill));
      if (child.exitCode !== null || child.signalCode !== null) clearTimeout(kill);
    });
    return socket;
  };
}
