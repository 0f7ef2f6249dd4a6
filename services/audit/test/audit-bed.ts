import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ledger, memoryLog, type Log, type LogMessage, type MemoryLog } from '@meridian/journal';
import { heldSubject, memoryBeat } from '@meridian/nest';
import { emptyHead, encodeEntry } from '@meridian/wire';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { Audit } from '../src/audit.ts';
import { AuditMetrics } from '../src/metrics.ts';
import { defaultSettings, type AuditSettings } from '../src/settings.ts';

export const at = 1_790_000_000_000;

/** One log that all regions hold at once, and an audit in each that is asked for. */
export class AuditBed {
  readonly log: MemoryLog = memoryLog({ now: () => at });
  readonly beat = memoryBeat();
  /** What is logged as an error, by region. */
  readonly errors: string[] = [];
  readonly #regions: readonly string[];
  readonly #audits: Audit[] = [];
  readonly #folders: string[] = [];

  constructor(regions: readonly string[] = ['eu']) {
    this.#regions = regions;
  }

  /** An audit that decides for what the ledger says is this region's. */
  async open(
    region: string,
    options: {
      readonly ledger?: Ledger;
      readonly log?: Log;
      readonly settings?: Partial<AuditSettings>;
      readonly isGranted?: () => boolean;
      readonly folder?: string;
      readonly registry?: Registry;
    } = {},
  ): Promise<Audit> {
    const { ledger = new Ledger(), log = this.log, isGranted = () => true } = options;
    const errors = {
      write: (line: string) => {
        this.errors.push(`${region}: ${(JSON.parse(line) as { msg: string }).msg}`);
      },
    };
    const audit = new Audit({
      log,
      ledger,
      grants: {
        grantOf: (home) => (isGranted() ? { epoch: ledger.current(home).epoch } : undefined),
      },
      beat: this.beat,
      region,
      regions: this.#regions,
      isReported: this.#regions.length > 1,
      now: () => at,
      settings: {
        ...defaultSettings,
        folder: options.folder ?? this.#newFolder(),
        orderMs: 10,
        checkpointMs: 100,
        foldShare: 1,
        ...options.settings,
      },
      metrics: new AuditMetrics(options.registry ?? new Registry()),
      logger: pino({ level: 'error' }, errors),
      onFailure: (error) => this.errors.push(`${region}: ${String(error)}`),
    });
    await audit.open();
    this.#audits.push(audit);
    return audit;
  }

  /** Says for every region that it holds all that is stored, or so much of one stream. */
  async report(only: Readonly<Record<string, number>> = {}): Promise<void> {
    for (const origin of this.#regions) {
      const streams: Record<string, number> = {};
      for (const stream of [`IN_${origin}`, `EV_${origin}`]) {
        streams[stream] = only[stream] ?? (await this.#end(stream));
      }
      for (const region of this.#regions.filter((one) => one !== origin)) {
        this.beat.publish(heldSubject(origin, region), JSON.stringify({ region, streams }));
      }
    }
  }

  async #end(stream: string): Promise<number> {
    try {
      return await this.log.lastSequence(stream);
    } catch {
      return 0;
    }
  }

  /** Stores a request, and a decision on it. */
  async call(region: string, id: string): Promise<void> {
    await this.log.append(`IN_${region}`, {
      subject: `in.${region}.demo.${region}.contact.${id}`,
      data: `{"specversion":"1.0","id":"${id}"}`,
    });
    const writer = { region, home: region, service: 'sessions', epoch: 1 };
    const aggregate = { tenant: 'demo', entity: 'contact', id };
    const { text } = encodeEntry(writer, aggregate, emptyHead, [
      {
        type: 'meridian.contact.initiated.v1',
        subject: id,
        data: { channel: 'VOICE', initiationMethod: 'INBOUND' },
        cause: { causationId: `/pbx#${id}` },
        timeMs: at,
      },
    ]);
    const subject = `ev.${region}.${region}.demo.contact.${id}`;
    await this.log.append(`EV_${region}`, { subject, data: text });
  }

  async close(): Promise<void> {
    await Promise.all(this.#audits.splice(0).map((audit) => audit.close()));
    for (const folder of this.#folders.splice(0)) rmSync(folder, { recursive: true });
  }

  #newFolder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'meridian-audit-'));
    this.#folders.push(folder);
    return folder;
  }
}

/** A log in which one message reads otherwise. */
export function altered(log: Log, stream: string, sequence: number): Log {
  const of = (message: LogMessage): LogMessage => {
    if (message.stream !== stream || message.sequence !== sequence) return message;
    const text = message.text().replace('VOICE', 'CHAT!');
    return Object.create(message, {
      text: { value: () => text },
      data: { value: Buffer.from(text) },
      header: { value: (name: string) => message.header(name) },
      subject: { value: message.subject },
      storedAtMs: { value: message.storedAtMs },
    }) as LogMessage;
  };
  return {
    append: (to, message) => log.append(to, message),
    load: (from, subject) => log.load(from, subject),
    lastSequence: (from, filter) => log.lastSequence(from, filter),
    replay: (from, options) => log.replay(from, options),
    follow: (from, options, onMessage) => log.follow(from, options, onMessage),
    close: () => log.close(),
    get: async (from, at) => {
      const message = await log.get(from, at);
      return message === undefined ? undefined : of(message);
    },
    async *replayBatches(from, options) {
      for await (const batch of log.replayBatches(from, options)) yield batch.map(of);
    },
  };
}
