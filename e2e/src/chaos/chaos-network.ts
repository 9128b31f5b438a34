import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

/**
 * A network of the run's own: one bridge on this machine, and per agent a namespace that is joined to it by a cable (veth). What
 * is cut is the cable; nothing else on the machine notices.
 */
export class ChaosNetwork {
  private readonly bridge: string;
  /** Of the machine on the bridge; the broker listens here. */
  readonly address: string;

  private constructor(
    private readonly tag: string,
    private readonly subnet: string,
    private readonly agents: readonly string[],
  ) {
    this.bridge = `gch${tag}`;
    this.address = `${subnet}.1`;
  }

  /** `tag`: at most six characters, unique on the machine. */
  static create(tag: string, agents: readonly string[]): ChaosNetwork {
    const network = new ChaosNetwork(tag, freeSubnet(), agents);
    const { bridge, address } = network;
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('addr', 'add', `${address}/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    agents.forEach((agent, index) => {
      const space = network.namespaceOf(agent);
      const cable = network.cableOf(agent);
      ip('netns', 'add', space);
      ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'up0', 'netns', space);
      ip('link', 'set', cable, 'master', bridge);
      ip('link', 'set', cable, 'up');
      ip('-n', space, 'addr', 'add', `${network.subnet}.${index + 10}/24`, 'dev', 'up0');
      ip('-n', space, 'link', 'set', 'up0', 'up');
      ip('-n', space, 'link', 'set', 'lo', 'up');
    });
    return network;
  }

  /** File that names the agent's network namespace. */
  namespaceFile(agent: string): string {
    return `/var/run/netns/${this.namespaceOf(agent)}`;
  }

  /** `link`: the agent's interface loses its carrier. `silence`: it keeps it, and every packet vanishes without an answer. */
  cut(agent: string, how: 'link' | 'silence'): void {
    if (how === 'link') ip('link', 'set', this.cableOf(agent), 'down');
    else ip('link', 'set', this.cableOf(agent), 'nomaster');
  }

  join(agent: string): void {
    ip('link', 'set', this.cableOf(agent), 'up');
    ip('link', 'set', this.cableOf(agent), 'master', this.bridge);
  }

  remove(): void {
    for (const agent of this.agents) {
      // First the cable: with its namespace it would go too, but at some later time.
      if (fs.existsSync(`/sys/class/net/${this.cableOf(agent)}`)) ip('link', 'delete', this.cableOf(agent));
      const space = this.namespaceOf(agent);
      if (fs.existsSync(`/var/run/netns/${space}`)) ip('netns', 'delete', space);
    }
    if (fs.existsSync(`/sys/class/net/${this.bridge}`)) ip('link', 'delete', this.bridge);
  }

  private namespaceOf(agent: string): string {
    return `gch${this.tag}-${agent}`;
  }

  private cableOf(agent: string): string {
    return `gch${this.tag}${this.agents.indexOf(agent)}`;
  }
}

/** Two runs on one machine must not share addresses. */
function freeSubnet(): string {
  const taken = ip('-4', 'addr', 'show');
  for (let third = 1; third < 255; third += 1) if (!taken.includes(` 10.214.${third}.`)) return `10.214.${third}`;
  throw new Error('All networks 10.214.*.0/24 are in use on this machine; remove left-over bridges gch* (ip link).');
}

function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
