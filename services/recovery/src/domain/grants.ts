/** What a process of the region asks; the shell reads it from the beat. */
export interface Ask {
  readonly instance: string;
  readonly nonce: number;
  /** The id of the last answer that the process has acted on; empty for none. */
  readonly heard: string;
  readonly deciding: Readonly<Record<string, number>>;
}

export type Granted = Readonly<Record<string, { readonly epoch: number; readonly forMs: number }>>;

interface Known {
  nonce: number;
  /** The number of the last answer of this book's that it has acted on. */
  heard: number;
  deciding: Readonly<Record<string, number>>;
  seenAtMs: number;
  /** When the last grant of each home has surely expired, by the own clock. */
  readonly untilMs: Map<string, number>;
  /** For each home, the number of the last answer that granted it. */
  readonly grantedAt: Map<string, number>;
  /** The number of the last answer that opened the way in; 0 for none. */
  openedAt: number;
}

/** How much the clock of a machine may differ in speed from another one's. */
const drift = 0.01;

/** Who was granted what, so that a home can be known to be at rest. */
export class GrantBook {
  readonly #known = new Map<string, Known>();
  /** Answers bear it: those of another book, before a restart, are not taken for this one's. */
  readonly #name: string;
  #answers = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** The instances that have asked, with the last nonce of each. */
  *instances(): Iterable<readonly [instance: string, nonce: number]> {
    for (const [instance, { nonce }] of this.#known) yield [instance, nonce];
  }

  /** An ask has come; one that is older than a known one is passed over. */
  asked({ instance, nonce, heard, deciding }: Ask, nowMs: number): void {
    const known = this.#known.get(instance);
    if (known !== undefined && nonce <= known.nonce) return;
    const separator = heard.lastIndexOf('.');
    const number =
      heard.slice(0, separator) === this.#name ? Number(heard.slice(separator + 1)) : 0;
    const said = { nonce, heard: number, deciding, seenAtMs: nowMs };
    if (known !== undefined) Object.assign(known, said);
    else {
      this.#known.set(instance, { ...said, untilMs: new Map(), grantedAt: new Map(), openedAt: 0 });
    }
  }

  /** An answer goes out. @returns its id */
  answered(instance: string, granted: Granted, intake: boolean, nowMs: number): string {
    this.#answers += 1;
    const known = this.#known.get(instance);
    if (intake && known !== undefined) known.openedAt = this.#answers;
    for (const [home, { forMs }] of Object.entries(granted)) {
      const untilMs = nowMs + forMs * (1 + 2 * drift);
      known?.untilMs.set(home, Math.max(known.untilMs.get(home) ?? 0, untilMs));
      known?.grantedAt.set(home, this.#answers);
    }
    return `${this.#name}.${this.#answers}`;
  }

  /**
   * Whether nobody decides for a home that is granted no more.
   * A process is at rest once it has heard an answer after its last grant and says that it decides for
   * the home no more; or when its grants have expired and it was not heard since `silentMs`.
   */
  isAtRest(home: string, nowMs: number, silentMs: number): boolean {
    for (const known of this.#known.values()) {
      const untilMs = known.untilMs.get(home);
      const isExpired = untilMs === undefined || nowMs >= untilMs;
      const isSilent = nowMs >= known.seenAtMs + silentMs;
      if (isExpired && isSilent) continue;
      if (home in known.deciding) return false;
      const grantedAt = known.grantedAt.get(home);
      if (!isExpired && grantedAt !== undefined && known.heard <= grantedAt) return false;
    }
    return true;
  }

  /** Whether every process has heard that the way in is shut, or was not heard since `silentMs`. */
  isIntakeAtRest(nowMs: number, silentMs: number): boolean {
    return [...this.#known.values()].every(
      ({ heard, openedAt, seenAtMs }) => heard > openedAt || nowMs >= seenAtMs + silentMs,
    );
  }

  /** Forgets the instances that have ended. */
  forgetSilent(nowMs: number, silentMs: number): void {
    for (const [instance, known] of this.#known) {
      const lastMs = Math.max(known.seenAtMs, ...known.untilMs.values());
      if (nowMs >= lastMs + silentMs) this.#known.delete(instance);
    }
  }
}
