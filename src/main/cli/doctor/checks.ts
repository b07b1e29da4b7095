/** Every check there is, in the order of the report: from the machine to the cloud and to the components. */
import type { Check } from './check.js';
import { BusCheck } from './checks/bus.js';
import { CertificatesCheck } from './checks/certificates.js';
import { ClockCheck } from './checks/clock.js';
import { ComponentCheck } from './checks/component.js';
import { ConfigurationCheck } from './checks/configuration.js';
import { DiskCheck } from './checks/disk.js';
import { FamiliesCheck } from './checks/families.js';
import { GroupCheck } from './checks/group.js';
import { HeatCheck } from './checks/heat.js';
import { HostsCheck } from './checks/hosts.js';
import { LineCheck } from './checks/line.js';
import { LinksCheck } from './checks/links.js';
import { MemoryCheck } from './checks/memory.js';
import { MtuCheck } from './checks/mtu.js';
import { NameServersCheck } from './checks/name-servers.js';
import { PermissionsCheck } from './checks/permissions.js';
import { PortalCheck } from './checks/portal.js';
import { PowerCheck } from './checks/power.js';
import { ProxyCheck } from './checks/proxy.js';
import { RouterCheck } from './checks/router.js';
import { RoutesCheck } from './checks/routes.js';
import { SecondRemoteCheck } from './checks/second-remote.js';
import { ServiceCheck } from './checks/service.js';
import { SignInCheck } from './checks/sign-in.js';
import { SiteCheck } from './checks/site.js';
import { UnitCheck } from './checks/unit.js';
import { WebSocketCheck } from './checks/websocket.js';

export const CHECKS: readonly Check[] = [
  new PowerCheck(),
  new HeatCheck(),
  new MemoryCheck(),
  new DiskCheck(),
  new ClockCheck(),
  new CertificatesCheck(),

  new ConfigurationCheck(),
  new PermissionsCheck(),
  new UnitCheck(),
  new ServiceCheck(),
  new SecondRemoteCheck(),

  new LinksCheck(),
  new RoutesCheck(),
  new RouterCheck(),
  new MtuCheck(),
  new NameServersCheck(),
  new PortalCheck(),
  new ProxyCheck(),
  new SiteCheck(),
  new FamiliesCheck(),
  new LineCheck(),

  new HostsCheck(),
  new SignInCheck(),
  new WebSocketCheck(),
  new GroupCheck(),

  new BusCheck(),
  new ComponentCheck('core'),
  new ComponentCheck('scheduler'),
];
