import {
  contractOf,
  dataFromProtobuf,
  intakeMessageId,
  intakeStream,
  intakeSubject,
  type IntakeEnvelope,
} from '@meridian/wire';
import type { Appended, Log } from '@meridian/journal';
import { duplicateId, planBatch, sameRequest, type Plan, type Publisher } from './batch.ts';
import { attributesOf, modeOf } from '../domain/media.ts';
import { Refusal } from '../domain/problem.ts';
import { orRefuse } from '../http/log-fault.ts';
import { readJson } from './read-json.ts';

/** CloudEvents as they come in, by whatever way. */
export interface Submission {
  readonly contentType: string | undefined;
  readonly contentEncoding?: string | undefined;
  /** Headers, names in lower case; only those that begin with `ce-` matter. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** One stored event. */
interface Accepted extends Appended {
  readonly event: IntakeEnvelope;
}

/** The way in: checks CloudEvents, stores them in the region's intake and says where they are. */
export class Intake {
  readonly #log: Log;
  readonly #region: string;
  readonly #stream: string;

  constructor(log: Log, region: string) {
    this.#log = log;
    this.#region = region;
    this.#stream = intakeStream(region);
  }

  /**
   * Stores what was sent, all of it checked before.
   * @returns the JSON text `{"accepted":[{"id","stream","sequence","duplicate"}]}`, one for each
   *   event sent, in their order, once all are stored
   * @throws Refusal when anything is wrong; at 503 some may be stored, and sending again is safe
   */
  async publish(submission: Submission, publisher: Publisher): Promise<string> {
    const { values, batch } = readEvents(submission);
    const plan = planBatch(values, batch, publisher);
    const stored = await orRefuse(Promise.all(plan.events.map((event) => this.#append(event))));
    await this.#checkDuplicates(plan, stored, batch);
    return this.#answer(plan, stored);
  }

  async #append(event: IntakeEnvelope): Promise<Accepted> {
    const { tenant, subject } = event;
    const entity = contractOf(event.type)?.entity as string;
    const { sequence, duplicate } = await this.#log.append(this.#stream, {
      subject: intakeSubject(this.#region, this.#region, { tenant, entity, id: subject }),
      data: JSON.stringify(event),
      messageId: intakeMessageId(event),
    });
    return { event, sequence, duplicate };
  }

  /** @throws Refusal 409 when another event was stored under one of the ids */
  async #checkDuplicates(plan: Plan, stored: readonly Accepted[], batch: boolean): Promise<void> {
    if (!stored.some(({ duplicate }) => duplicate)) return;
    const refusals = await Promise.all(
      stored.map(async (accepted, place) => {
        const pointer = batch ? `/${plan.places.indexOf(place)}` : '';
        return accepted.duplicate ? await this.#conflict(accepted, pointer) : undefined;
      }),
    );
    const conflicts = refusals.filter((refusal) => refusal !== undefined);
    const [first] = conflicts;
    if (first === undefined) return;
    const { type: _type, title: _title, status: _status, detail, ...extras } = first.problem;
    const errors = conflicts.flatMap(({ problem }) => problem.errors ?? []);
    const accepted = stored
      .filter((_, place) => refusals[place] === undefined)
      .map((one) => this.#describe(one, one.duplicate));
    throw new Refusal('duplicate-id', detail, { ...extras, errors, accepted });
  }

  async #conflict({ event, sequence }: Accepted, pointer: string): Promise<Refusal | undefined> {
    const original = await orRefuse(this.#log.get(this.#stream, sequence));
    if (
      original === undefined ||
      sameRequest(JSON.parse(original.text()) as IntakeEnvelope, event)
    ) {
      return undefined;
    }
    return duplicateId(event, pointer, `is already stored at ${this.#stream}:${sequence}`);
  }

  #describe({ event, sequence }: Accepted, duplicate: boolean) {
    return { id: event.id, stream: this.#stream, sequence, duplicate };
  }

  #answer({ places }: Plan, stored: readonly Accepted[]): string {
    const seen = new Set<number>();
    const parts = places.map((place) => {
      const one = stored[place] as Accepted;
      const duplicate = one.duplicate || seen.has(place);
      seen.add(place);
      return JSON.stringify(this.#describe(one, duplicate));
    });
    return `{"accepted":[${parts.join(',')}]}`;
  }
}

/** Takes a submission apart into the events it holds, not yet checked. */
function readEvents({ contentType, contentEncoding, headers, body }: Submission): {
  readonly values: readonly unknown[];
  readonly batch: boolean;
} {
  const mode = modeOf(
    contentType,
    contentEncoding,
    headers.some(([name]) => name.startsWith('ce-')),
  );
  if (mode === 'structured') return { values: [readJson(body)], batch: false };
  if (mode === 'batch') {
    const values = readJson(body);
    if (Array.isArray(values)) return { values, batch: true };
    const detail = 'A batch must be a JSON list of CloudEvents.';
    throw new Refusal('invalid-event', detail, { errors: [{ pointer: '', code: 'type', detail }] });
  }
  const event = attributesOf(headers);
  if (mode === 'binary-protobuf') event['data'] = readProtobuf(event['type'], body);
  else if (body.length > 0) event['data'] = readJson(body);
  return { values: [event], batch: false };
}

function readProtobuf(type: unknown, body: Buffer): unknown {
  const contract = typeof type === 'string' ? contractOf(type) : undefined;
  // Without a contract nothing can be read; the check of the attributes says what is wrong.
  if (contract === undefined || contract.kind !== 'COMMAND') return {};
  try {
    return dataFromProtobuf(contract, body);
  } catch (error) {
    const detail = `The body is no ${contract.protobufName}: ${(error as Error).message}.`;
    throw new Refusal('invalid-protobuf', detail, {
      errors: [{ pointer: '/data', code: 'protobuf', detail }],
      schema: `/schemas/${contract.type}.json`,
    });
  }
}
