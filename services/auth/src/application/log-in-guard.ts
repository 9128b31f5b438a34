import type { Clock } from '@gantry/kernel/clock';
import { addFailure, lockedUntil, throttle } from '../domain/user/log-in-throttle.js';
import { tooManyAttempts } from '../domain/user/user.errors.js';
import { KeyedTurns } from './keyed-turns.js';

const MAX_WAITING_PER_ACCOUNT = 64;
/** Offices share an address, so it is far above what one account allows. */
const MAX_FAILURES_PER_NETWORK = 100;
const MAX_REMEMBERED = 10_000;

/**
 * Slows guessing down. Failures of a registered account are events and survive a restart (the directory has them); those of
 * unknown addresses and of networks are kept in this process only, the least recently failed are forgotten first.
 */
export class LogInGuard {
  private readonly turns = new KeyedTurns(MAX_WAITING_PER_ACCOUNT);
  private readonly unknownAccounts = new Map<string, readonly number[]>();
  private readonly networks = new Map<string, readonly number[]>();

  constructor(private readonly clock: Clock) {}

  /**
   * Tries of one account run one after the other: a hundred at the same moment would otherwise all be checked before the
   * first failure is counted.
   */
  inTurn<T>(email: string, work: () => Promise<T>): Promise<T> {
    return this.turns.run(email, work);
  }

  failuresOfUnknown(email: string): readonly number[] {
    return this.unknownAccounts.get(email) ?? [];
  }

  /** Throws `AUTH.TOO_MANY_ATTEMPTS` while the account is locked. */
  checkAccount(failures: readonly number[]): void {
    const wait = lockedUntil(failures) - this.clock.now();
    if (wait > 0) throw tooManyAttempts(wait);
  }

  /** Throws `AUTH.TOO_MANY_ATTEMPTS` when too much went wrong from this network. */
  checkNetwork(ip: string): void {
    // Nobody's address is everybody's: counting it would let one guesser lock all others out.
    if (ip === '') return;
    const now = this.clock.now();
    const failures = (this.networks.get(networkOf(ip)) ?? []).filter((time) => time > now - throttle.windowMs);
    const oldest = failures[0];
    if (oldest !== undefined && failures.length >= MAX_FAILURES_PER_NETWORK)
      throw tooManyAttempts(oldest + throttle.windowMs - now);
  }

  recordUnknown(email: string): void {
    remember(this.unknownAccounts, email, addFailure(this.failuresOfUnknown(email), this.clock.now()));
  }

  recordNetwork(ip: string): void {
    if (ip === '') return;
    const network = networkOf(ip);
    const failures = [...(this.networks.get(network) ?? []), this.clock.now()];
    remember(this.networks, network, failures.slice(-MAX_FAILURES_PER_NETWORK));
  }
}

function remember(failures: Map<string, readonly number[]>, key: string, times: readonly number[]): void {
  failures.delete(key);
  failures.set(key, times);
  if (failures.size <= MAX_REMEMBERED) return;
  const oldest = failures.keys().next().value;
  if (oldest !== undefined) failures.delete(oldest);
}

/** One customer usually holds a whole IPv6 /64, so its addresses count as one. IPv4 addresses count by themselves. */
export function networkOf(ip: string): string {
  if (!ip.includes(':')) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = '', tail] = ip.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...Array.from({ length: zeros }, () => '0'), ...right].slice(0, 4).join(':');
}
