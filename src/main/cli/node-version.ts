/** Is this Node new enough? Asked first of all, before anything is loaded that an older one could stumble over. */

/**
 * What to say of a Node that is too old; undefined: it is new enough.
 * @param engines such as `>=20.19.0`, as package.json has it
 */
export function complaintOfNode(version: string, path: string, engines: string): string | undefined {
  const least = numbersOf(engines);
  const given = numbersOf(version);
  const differing = least.findIndex((number, index) => number !== given[index]);
  if (differing < 0 || (given[differing] ?? 0) > (least[differing] ?? 0)) return undefined;
  const wanted = least.slice(0, 2).join('.');
  return `Node ${wanted} or later is needed, and this is ${version} (${path}); install nodejs (${wanted} or later) or dunebugger-remote-node`;
}

function numbersOf(version: string): readonly number[] {
  return (/\d+(?:\.\d+)*/.exec(version)?.[0] ?? '').split('.').map(Number);
}
