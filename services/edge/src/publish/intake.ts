import {
  contractOf,
  dataFromProtobuf,
  intakeMessageId,
  intakeStream,
  intakeSubject,
  type IntakeEnvelope,
} from '@meridian/wire';
import type { Appended, Log } from '@meridian/journal';
import type { HeldWatch } from '../durability/held-watch.ts';
import type { Homes } from '../homes/homes.ts';
import type { Sealing } from '../personal/sealing.ts';
import { duplicateId, planBatch, sameRequest, type Plan, type Publisher } from './batch.ts';
import type { Durability, Waited } from '../domain/held-by.ts';
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

/** What the way in is made of. */
export interface IntakeParts {
  readonly log: Log;
  readonly region: string;
  /** Where requests belong. */
  readonly homes: Pick<Homes, 'of'>;
  /** Who holds what, elsewhere. */
  readonly held: Pick<HeldWatch, 'wait' | 'reached'>;
  /** What makes personal fields unreadable without a key before they are stored. */
  readonly sealing: Pick<Sealing, 'seal'>;
  /** Whether the region takes anything in at the moment. */
  readonly gate: { readonly intakeOpen: boolean };
}

/** The way in: checks CloudEvents, stores them in the region's intake and says where they are. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #stream: string;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#stream = intakeStream(parts.region);
  }

  /**
   * Stores what was sent, all of it checked before, and waits until it has reached a durability.
   * @returns the JSON text `{"accepted":[{"id","stream","sequence","duplicate","durability"}]}`, one
   *   for each event sent, in their order
   * @throws Refusal when anything is wrong; at 503 some may be stored, and sending again is safe
   */
  async publish(
    submission: Submission,
    publisher: Publisher,
    durability: Durability = 'region',
  ): Promise<string> {
    this.#checkOpen();
    const { values, batch } = readEvents(submission);
    const plan = await this.#sealed(planBatch(values, batch, publisher), batch);
    plan.events.forEach(checkOwnWay);
    const addressed = plan.events.map((event) => this.#address(event));
    const stored = await orRefuse(
      Promise.all(plan.events.map((event, place) => this.#append(event, addressed[place] ?? ''))),
    );
    await this.#checkDuplicates(plan, stored, batch);
    if (durability !== 'region') await this.#waitFor(durability, plan, stored);
    return this.#answer(plan, stored);
  }

  async #sealed({ events, places }: Plan, batch: boolean): Promise<Plan> {
    const prefixOf = (place: number): string => (batch ? `/${places.indexOf(place)}` : '');
    return { events: await this.#parts.sealing.seal(events, prefixOf), places };
  }

  #checkOpen(): void {
    const { gate, region } = this.#parts;
    if (gate.intakeOpen) return;
    throw new Refusal(
      'region-not-open',
      `The region ${region} takes nothing in until its streams are known to be whole; nothing was stored. ` +
        'Try again soon, or at another region.',
      {},
      { 'retry-after': '1' },
    );
  }

  /** The subject to store a request under. @throws Refusal 503 while homes are not known */
  #address(event: IntakeEnvelope): string {
    const { region, homes } = this.#parts;
    const { tenant, subject } = event;
    const entity = contractOf(event.type)?.entity as string;
    return intakeSubject(region, homes.of(event, entity), { tenant, entity, id: subject });
  }

  async #append(event: IntakeEnvelope, subject: string): Promise<Accepted> {
    const { sequence, duplicate } = await this.#parts.log.append(this.#stream, {
      subject,
      data: JSON.stringify(event),
      messageId: intakeMessageId(event),
    });
    return { event, sequence, duplicate };
  }

  /** @throws Refusal 503 when too few other regions hold everything in time */
  async #waitFor(durability: Waited, plan: Plan, stored: readonly Accepted[]): Promise<void> {
    const { held } = this.#parts;
    const last = stored.reduce((most, { sequence }) => Math.max(most, sequence), 0);
    if (await held.wait(durability, this.#stream, last)) return;
    const who = durability === 'all' ? 'Not every other region' : 'No other region';
    const one = stored.length === 1;
    throw new Refusal(
      'not-mirrored',
      `${one ? 'The event IS' : `All ${stored.length} events ARE`} stored in this region ` +
        `(${this.#stream}${one ? ':' : ' up to '}${last}). ${who} said in time that it holds ` +
        `${one ? 'it' : 'them'}. Sending again with the same ${one ? 'id' : 'ids'} is safe, and waits again.`,
      { accepted: this.#described(plan, stored) },
      { 'retry-after': '1' },
    );
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
    const original = await orRefuse(this.#parts.log.get(this.#stream, sequence));
    if (
      original === undefined ||
      sameRequest(JSON.parse(original.text()) as IntakeEnvelope, event)
    ) {
      return undefined;
    }
    return duplicateId(event, pointer, `is already stored at ${this.#stream}:${sequence}`);
  }

  #describe({ event, sequence }: Accepted, duplicate: boolean) {
    const stream = this.#stream;
    const durability = this.#parts.held.reached(stream, sequence);
    return { id: event.id, stream, sequence, duplicate, durability };
  }

  /** One for each event sent, in their order. */
  #described({ places }: Plan, stored: readonly Accepted[]) {
    const seen = new Set<number>();
    return places.map((place) => {
      const one = stored[place] as Accepted;
      const duplicate = one.duplicate || seen.has(place);
      seen.add(place);
      return this.#describe(one, duplicate);
    });
  }

  #answer(plan: Plan, stored: readonly Accepted[]): string {
    return JSON.stringify({ accepted: this.#described(plan, stored) });
  }
}

/** What is asked about persons' data has routes of its own, which know whom it may come from. */
function checkOwnWay({ type }: IntakeEnvelope): void {
  if (contractOf(type)?.entity !== 'privacy') return;
  throw new Refusal('forbidden', `${type} is not published; see /v1/privacy in /openapi.json.`);
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
