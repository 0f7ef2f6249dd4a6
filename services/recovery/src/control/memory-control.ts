import type { ControlEntry } from '../domain/control.ts';
import { ControlUnavailable, WrongRevision, type Control } from './control.ts';

/** A control cluster within one process, for specifications. */
export class MemoryControlCluster {
  readonly #entries = new Map<string, ControlEntry>();
  readonly #watchers = new Set<(entry: ControlEntry) => void>();
  #revision = 0;
  #incarnation = 1;
  /** Whether there is a quorum. */
  hasQuorum = true;

  /** Loses everything. */
  remake(): void {
    this.#entries.clear();
    this.#revision = 0;
    this.#incarnation += 1;
  }

  /** As one region sees it. */
  client(): Control {
    const ends = new Set<() => void>();
    return {
      read: async () => {
        this.#answer('reading');
        const order = ['home.', 'lease.', 'claim.'];
        const entries = order.flatMap((prefix) =>
          [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix)),
        );
        return { incarnation: String(this.#incarnation), entries };
      },
      write: async (key, value, expectedRevision) => {
        this.#answer(`writing ${key}`);
        const found = this.#entries.get(key)?.revision ?? 0;
        if (expectedRevision !== undefined && found !== expectedRevision) {
          throw new WrongRevision(key, expectedRevision);
        }
        this.#revision += 1;
        const entry = { key, value, revision: this.#revision };
        this.#entries.set(key, entry);
        queueMicrotask(() => {
          for (const watcher of this.#watchers) watcher(entry);
        });
        return entry.revision;
      },
      watch: (onEntry) => {
        this.#watchers.add(onEntry);
        const end = (): void => {
          this.#watchers.delete(onEntry);
        };
        ends.add(end);
        return end;
      },
      close: async () => {
        for (const end of ends) end();
      },
    };
  }

  #answer(what: string): void {
    if (!this.hasQuorum) throw new ControlUnavailable(what);
  }
}
