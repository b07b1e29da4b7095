import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  decideLink,
  fingerprint,
  parseIpv4DefaultRoutes,
  parseIpv6DefaultRoutes,
  refusalIn,
  type LinkInterface,
  type LinkSnapshot,
} from '../../src/workers/probe/link-state.js';

const UNREACHABLE = [
  { family: 4, error: 'ENETUNREACH' },
  { family: 6, error: 'ENETUNREACH' },
] as const;

function link(name: string, more: Partial<LinkInterface> = {}): LinkInterface {
  return { name, up: true, operState: 'up', physical: true, addresses: [], ...more };
}

function snapshot(more: Partial<LinkSnapshot>): LinkSnapshot {
  return { interfaces: [], defaultRoutes: [], egress: UNREACHABLE, ...more };
}

const WLAN0 = link('wlan0', { addresses: ['192.168.1.20', 'fe80::1'] });
const ROUTE = { device: 'wlan0', metric: 600, gateway: '0101A8C0' };
const HEALTHY = snapshot({
  interfaces: [link('eth0', { operState: 'down' }), WLAN0],
  defaultRoutes: [ROUTE],
  egress: [{ family: 4, source: '192.168.1.20' }, UNREACHABLE[1]],
});

describe('the decision about the way out', () => {
  const cases: readonly (readonly [string, LinkSnapshot, string | undefined, RegExp?])[] = [
    ['one family is enough', HEALTHY, undefined],
    [
      'IPv6 alone is enough',
      snapshot({
        interfaces: [link('eth0', { addresses: ['2001:db8:5::7'] })],
        egress: [UNREACHABLE[0], { family: 6, source: '2001:db8:5::7' }],
      }),
      undefined,
    ],
    [
      'a tunnel that does not say how it is counts as running',
      snapshot({
        interfaces: [link('ppp0', { operState: 'unknown', physical: false, addresses: ['10.64.0.9'] })],
        egress: [{ family: 4, source: '10.64.0.9' }],
      }),
      undefined,
    ],
    [
      'a destination on this machine needs no link',
      snapshot({ egress: [{ family: 4, source: '127.0.0.1' }] }),
      undefined,
    ],
    ['no interface at all', snapshot({}), 'no-link', /no network interface/],
    [
      'everything down or without carrier',
      snapshot({
        interfaces: [link('eth0', { operState: 'lowerlayerdown' }), link('wlan0', { up: false, operState: 'down' })],
      }),
      'no-link',
      /^eth0 has no carrier; wlan0 is down$/,
    ],
    [
      'Wi-Fi that is not let in',
      snapshot({ interfaces: [link('wlan0', { operState: 'dormant' })] }),
      'no-link',
      /wlan0 is not authenticated yet/,
    ],
    [
      'the bridge of the containers is no link to the world',
      snapshot({
        interfaces: [
          link('eth0', { operState: 'down' }),
          link('docker0', { physical: false, addresses: ['172.17.0.1'] }),
        ],
      }),
      'no-link',
      /^eth0 has no carrier$/,
    ],
    [
      'the kernel still routes to an interface that lost its carrier',
      snapshot({
        interfaces: [link('eth0', { operState: 'down' }), link('wlan0', { addresses: ['fe80::1'] })],
        defaultRoutes: [{ device: 'eth0', metric: 100, gateway: '0101A8C0' }],
        egress: [{ family: 4, source: '192.168.1.9' }],
      }),
      'no-link',
      /^eth0 has no carrier, and the default route leads there$/,
    ],
    [
      'nobody tells the addresses: an interface that runs may have it',
      snapshot({
        interfaces: [link('eth0', { addresses: undefined })],
        defaultRoutes: [{ ...ROUTE, device: 'eth0' }],
        egress: [{ family: 4, source: '192.168.1.9' }],
      }),
      undefined,
    ],
    [
      'nobody tells the addresses, and nothing runs',
      snapshot({
        interfaces: [link('eth0', { operState: 'down', addresses: undefined })],
        egress: [{ family: 4, source: '192.168.1.9' }],
      }),
      'no-link',
      /^eth0 has no carrier$/,
    ],
    [
      'an association without an address',
      snapshot({ interfaces: [link('wlan0', { addresses: ['fe80::1'] })] }),
      'no-route',
      /^wlan0 has no address$/,
    ],
    [
      'no answer to DHCP, and a default route onto the bare link',
      snapshot({
        interfaces: [link('wlan0', { addresses: ['169.254.7.7'] })],
        defaultRoutes: [{ ...ROUTE, gateway: undefined }],
        egress: [{ family: 4, source: '169.254.7.7' }],
      }),
      'no-route',
      /link-local address \(no DHCP answer\)/,
    ],
    [
      'a gateway that hands out link-local addresses',
      snapshot({
        interfaces: [link('usb0', { addresses: ['169.254.7.7'] })],
        defaultRoutes: [{ device: 'usb0', metric: 0, gateway: '0101A8C0' }],
        egress: [{ family: 4, source: '169.254.7.7' }],
      }),
      undefined,
    ],
    [
      'an IPv6 route, but only a link-local source',
      snapshot({
        interfaces: [link('wlan0', { addresses: ['fe80::1'] })],
        defaultRoutes: [ROUTE],
        egress: [UNREACHABLE[0], { family: 6, source: 'fe80::1' }],
      }),
      'no-route',
      /wlan0 has no address/,
    ],
    [
      'an address without a default route',
      snapshot({ interfaces: [WLAN0] }),
      'no-route',
      /192\.168\.1\.20, but no default route/,
    ],
    [
      'a default route that the kernel does not use',
      snapshot({ interfaces: [WLAN0], defaultRoutes: [ROUTE] }),
      'no-route',
      /default route that leads nowhere/,
    ],
    [
      'many interfaces make a short sentence',
      snapshot({ interfaces: Array.from({ length: 30 }, (_, i) => link(`eth${i}`, { up: false })) }),
      'no-link',
      /eth3 is down; and 26 more$/,
    ],
  ];
  for (const [title, given, reason, detail] of cases) {
    it(title, () => {
      const evidence = decideLink(given);
      assert.equal(evidence.reason, reason, evidence.detail);
      assert.equal(evidence.ok, reason === undefined);
      if (detail) assert.match(evidence.detail ?? '', detail);
    });
  }
});

describe('a look that the system refuses', () => {
  const refusedEgress = (v4: string, v6: string): LinkSnapshot =>
    snapshot({
      interfaces: [WLAN0],
      defaultRoutes: [ROUTE],
      egress: [
        { family: 4, error: v4 },
        { family: 6, error: v6 },
      ],
    });
  const cases: readonly (readonly [string, LinkSnapshot, string | undefined])[] = [
    ['nothing is refused', HEALTHY, undefined],
    ['no way out is the word of the kernel', snapshot({ interfaces: [WLAN0] }), undefined],
    ['no handle for the question', refusedEgress('EMFILE', 'EMFILE'), 'EMFILE'],
    ['no handle for one of two questions', refusedEgress('ENETUNREACH', 'ENFILE'), 'ENFILE'],
    ['a kernel without IPv6 hides nothing of IPv4', refusedEgress('ENETUNREACH', 'EAFNOSUPPORT'), undefined],
    ['a sandbox without either', refusedEgress('EAFNOSUPPORT', 'EAFNOSUPPORT'), 'EAFNOSUPPORT'],
    ['a table that cannot be read', { ...snapshot({}), refused: 'EMFILE' }, 'EMFILE'],
    ['a table that cannot be read, beside a way out', { ...HEALTHY, interfaces: [], refused: 'EMFILE' }, 'EMFILE'],
  ];
  for (const [title, given, code] of cases) it(title, () => assert.equal(refusalIn(given), code));
});

describe('the fingerprint', () => {
  it('stays when what changed is no part of the way out', () => {
    const container = link('veth12', { physical: false });
    assert.equal(
      fingerprint(HEALTHY),
      fingerprint({ ...HEALTHY, interfaces: [...HEALTHY.interfaces, container], defaultRoutes: [ROUTE] }),
    );
  });

  it('changes with the source address, the route, its metric and gateway, and the verdict', () => {
    const moved = link('wlan0', { addresses: ['192.168.1.21'] });
    const others = [
      { ...HEALTHY, interfaces: [moved], egress: [{ family: 4, source: '192.168.1.21' } as const, UNREACHABLE[1]] },
      { ...HEALTHY, defaultRoutes: [ROUTE, { device: 'eth0', metric: 100, gateway: '0101A8C0' }] },
      { ...HEALTHY, defaultRoutes: [{ ...ROUTE, metric: 50 }] },
      { ...HEALTHY, defaultRoutes: [{ ...ROUTE, gateway: '0201A8C0' }] },
      { ...HEALTHY, defaultRoutes: [], egress: UNREACHABLE },
    ];
    assert.equal(new Set([HEALTHY, ...others].map(fingerprint)).size, others.length + 1);
  });
});

describe('the routing tables of /proc', () => {
  it('IPv4: default routes, not others, not rejecting ones', () => {
    const text = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
      'wlan0\t00000000\t00000000\t0001\t0\t0\t600\t00000000\t0\t0\t0',
      'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
      // 0.0.0.0/1 of a tunnel is not a default route.
      'tun0\t00000000\t0101080A\t0003\t0\t0\t0\t00000080\t0\t0\t0',
      '*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0',
      'nonsense',
      '',
    ].join('\n');
    assert.deepEqual(parseIpv4DefaultRoutes(text), [
      { device: 'eth0', metric: 100, gateway: '0101A8C0' },
      { device: 'wlan0', metric: 600, gateway: undefined },
    ]);
  });

  it('IPv6: default routes, not the rejecting one that every table ends with', () => {
    const zero = '0'.repeat(32);
    const text = [
      `${zero} 00 ${zero} 00 fd770000000000000000000000000001 00000400 00000003 00000000 00000003      a0`,
      `fe800000000000000000000000000000 40 ${zero} 00 ${zero} 00000100 00000001 00000000 00000001      a0`,
      `${zero} 00 ${zero} 00 ${zero} ffffffff 00000001 00000000 00200200      lo`,
      'nonsense',
      '',
    ].join('\n');
    assert.deepEqual(parseIpv6DefaultRoutes(text), [
      { device: 'a0', metric: 1024, gateway: 'fd770000000000000000000000000001' },
    ]);
  });
});
