import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { clientUrls, controlUrls, parseTopology, peersOf, TopologyInvalid } from './index.ts';

const committed = readFileSync(new URL('../../../deploy/regions.yaml', import.meta.url), 'utf8');

const small = (more = ''): string => `version: 1
regions:
  eu:
    servers: [{ name: eu-1, host: a.example }]
    control: { name: control-eu, host: a.example }
  us:
    servers: [{ name: us-1, host: b.example, ports: { leaf: 9000 } }]
    control: { name: control-us, host: b.example }
${more}`;

const problemsOf = (text: string): readonly string[] => {
  try {
    parseTopology(text, 'regions.yaml');
  } catch (error) {
    if (error instanceof TopologyInvalid) return error.problems;
    throw error;
  }
  return [];
};

describe('the description of a mesh', () => {
  it('is, as committed, three regions of three servers, all linked', () => {
    const topology = parseTopology(committed);
    expect(topology.regions.map(({ name, servers }) => [name, servers.length])).toEqual([
      ['eu', 3],
      ['us', 3],
      ['ap', 3],
    ]);
    expect(topology.profile).toBe('production');
    expect(topology.links).toHaveLength(6);
    expect(peersOf(topology, 'us')).toEqual(['eu', 'ap']);
    expect(clientUrls(topology, 'us')).toBe(
      'tls://nats-1.us.meridian.example:4222,tls://nats-2.us.meridian.example:4222,' +
        'tls://nats-3.us.meridian.example:4222',
    );
    expect(controlUrls(topology).split(',')).toHaveLength(3);
  });

  it('has defaults for what it leaves out', () => {
    const { regions, store, links } = parseTopology(small());
    expect(regions[1]?.servers[0]).toEqual({
      name: 'us-1',
      host: 'b.example',
      ports: { client: 4222, monitor: 8222, leaf: 9000, cluster: 6222 },
    });
    expect(store).toEqual({ memory: '1GB', file: '200GB' });
    expect(links).toEqual([
      { from: 'eu', to: 'us' },
      { from: 'us', to: 'eu' },
    ]);
  });

  it('may say what is dialled instead of the leaf ports', () => {
    const { links } = parseTopology(
      small('links: [{ from: eu, to: us, via: ["gate.example:443"] }, { from: us, to: eu }]'),
    );
    expect(links[0]).toEqual({ from: 'eu', to: 'us', via: [{ host: 'gate.example', port: 443 }] });
  });

  it('is refused with the place of everything that is wrong', () => {
    expect(problemsOf('version: 1\nregions: {')[0]).toMatch(/line 2/);
    expect(problemsOf('')).toEqual([expect.stringMatching(/^the whole file: /)]);
    const wrong = small()
      .replace('version: 1', 'version: 2\ncolour: blue')
      .replace('host: b.example, ports', 'host: "b example", ports')
      .replace('leaf: 9000', 'leaf: 90000');
    expect(problemsOf(wrong)).toEqual([
      expect.stringMatching(/^version: /),
      expect.stringMatching(/^regions.us.servers.0.host: must be a host name/),
      expect.stringMatching(/^regions.us.servers.0.ports.leaf: /),
      expect.stringMatching(/^the whole file: .*"colour"/),
    ]);
  });

  it('is refused where its parts are at odds', () => {
    expect(problemsOf(small().replace('us-1, host: b.example', 'eu-1, host: a.example'))).toEqual([
      'regions.us.servers.0: the name eu-1 is that of regions.eu.servers.0 too',
      'regions.us.servers.0.ports.client: the address a.example:4222 is that of ' +
        'regions.eu.servers.0.ports.client too',
      'regions.us.servers.0.ports.monitor: the address a.example:8222 is that of ' +
        'regions.eu.servers.0.ports.monitor too',
      'regions.us.servers.0.ports.cluster: the address a.example:6222 is that of ' +
        'regions.eu.servers.0.ports.cluster too',
    ]);
    expect(problemsOf(small('links: [{ from: eu, to: asia }]'))).toEqual([
      'links.0.to: there is no region asia',
      'links.0: there is no link from asia back to eu',
    ]);
    expect(problemsOf(small('links: all'))).toEqual([expect.stringMatching(/^links: /)]);
  });
});
