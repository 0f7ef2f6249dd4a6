import type { IntakeEnvelope } from './envelope.ts';
import { contractOf, escapePointer, identifierPattern, validateData } from './validate.ts';
import type { Contract, Problem } from './contract.ts';

/** The longest contact id: a reservation's id is its contact's with a few characters more. */
const contactIdLimit = 64;
/** The longest `id` and `source` of a CloudEvent, in characters. */
const attributeLimit = 256;
/** How many problems of the attributes are listed before the search ends. */
const attributeProblemsLimit = 16;
/** The longest extension attribute, in characters. */
const extensionLimit = 1_024;
/** A URI reference (RFC 3986) without a fragment: `#` stands between source and id in a cause. */
const sourcePattern = /^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/;
const traceparentPattern = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const regionPattern = /^[a-z0-9]{1,16}$/;
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

export type IntakeResult =
  | { readonly ok: true; readonly event: IntakeEnvelope; readonly contract: Contract }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly type?: string };

const knownAttributes = new Set([
  'specversion',
  'id',
  'source',
  'type',
  'subject',
  'time',
  'datacontenttype',
  'dataschema',
  'data',
  'tenant',
  'correlationid',
  'traceparent',
  'tracestate',
  'actor',
  'region',
]);

function attributeProblems(
  event: Record<string, unknown>,
  regions: readonly string[] | undefined,
): Problem[] {
  const problems: Problem[] = [];
  const add = (name: string, code: Problem['code'], detail: string): void => {
    problems.push({ pointer: `/${name}`, code, detail });
  };
  if (event['specversion'] !== '1.0') {
    add(
      'specversion',
      event['specversion'] === undefined ? 'missing' : 'not_allowed',
      '/specversion must be "1.0".',
    );
  }
  for (const name of ['id', 'source', 'type', 'subject'] as const) {
    const value = event[name];
    if (value === undefined) add(name, 'missing', `/${name} is missing.`);
    else if (typeof value !== 'string') add(name, 'type', `/${name} must be a text.`);
    else if (value === '') add(name, 'missing', `/${name} must not be empty.`);
    else if (value.length > attributeLimit) {
      add(
        name,
        'too_long',
        `/${name} has ${value.length} characters; at most ${attributeLimit} are allowed.`,
      );
    }
    // oxlint-disable-next-line no-control-regex
    else if (/[\u0000-\u001f\u007f]/.test(value)) {
      add(name, 'not_allowed', `/${name} holds a control character.`);
    } else if (!value.isWellFormed()) {
      add(name, 'not_allowed', `/${name} is no well-formed Unicode text.`);
    } else if (name === 'source' && !sourcePattern.test(value)) {
      add(
        name,
        'not_allowed',
        '/source must be a URI reference without a fragment, such as /crm/eu.',
      );
    } else if (name === 'subject' && !identifierPattern.test(value)) {
      add(
        name,
        'identifier',
        '/subject must be 1 to 72 of A-Z a-z 0-9 _ -: it is the id of the contact, reservation, agent or queue.',
      );
    }
  }
  const { subject, type, time, datacontenttype, correlationid } = event;
  if (
    typeof subject === 'string' &&
    subject.length > contactIdLimit &&
    String(type).startsWith('meridian.contact.')
  ) {
    add(
      'subject',
      'too_long',
      `/subject has ${subject.length} characters; a contact's id has at most ${contactIdLimit}.`,
    );
  }
  if (
    time !== undefined &&
    (typeof time !== 'string' || !timePattern.test(time) || Number.isNaN(Date.parse(time)))
  ) {
    add('time', 'type', '/time must be an RFC 3339 timestamp such as 2026-01-31T08:15:00Z.');
  }
  if (
    datacontenttype !== undefined &&
    (typeof datacontenttype !== 'string' ||
      !/^application\/(?:[a-z.+-]*\+)?json\b/i.test(datacontenttype))
  ) {
    add(
      'datacontenttype',
      'not_allowed',
      '/datacontenttype must be application/json (protobuf data is sent in binary mode).',
    );
  }
  if (
    correlationid !== undefined &&
    (typeof correlationid !== 'string' || !identifierPattern.test(correlationid))
  ) {
    add(
      'correlationid',
      'identifier',
      '/correlationid must be 1 to 72 of A-Z a-z 0-9 _ -: it is the id of the first contact of the chain.',
    );
  }
  const { actor, region, traceparent } = event;
  if (
    region !== undefined &&
    (typeof region !== 'string' || !(regions?.includes(region) ?? regionPattern.test(region)))
  ) {
    const expected = regions === undefined ? 'a region such as eu' : `one of ${regions.join(', ')}`;
    add(
      'region',
      'not_allowed',
      `/region must be ${expected}: where what is asked about is at home.`,
    );
  }
  if (
    actor !== undefined &&
    (typeof actor !== 'string' || actor.length > attributeLimit || !actor.isWellFormed())
  ) {
    add('actor', 'type', `/actor must be a text of at most ${attributeLimit} characters.`);
  }
  if (
    traceparent !== undefined &&
    (typeof traceparent !== 'string' || !traceparentPattern.test(traceparent))
  ) {
    add(
      'traceparent',
      'type',
      '/traceparent must be as W3C Trace Context has it: 00-<32 hex>-<16 hex>-<2 hex>.',
    );
  }
  if ('data_base64' in event) {
    add(
      'data_base64',
      'not_allowed',
      '/data_base64 is not taken in JSON; send protobuf data in binary mode.',
    );
  }
  if ('replay' in event) {
    add(
      'replay',
      'not_allowed',
      '/replay marks a replay of the past: nothing happens because of it.',
    );
  }
  for (const name of Object.keys(event)) {
    if (knownAttributes.has(name) || name === 'data_base64' || name === 'replay') continue;
    const value = event[name];
    if (problems.length >= attributeProblemsLimit) break;
    if (!/^[a-z0-9]{1,64}$/.test(name)) {
      add(
        escapePointer(name),
        'unknown',
        `/${escapePointer(name)} is no CloudEvents attribute: names are a-z 0-9.`,
      );
    } else if (typeof value === 'object') {
      add(name, 'type', `/${name} is an extension attribute and cannot be an object or a list.`);
    } else if (typeof value === 'string' && value.length > extensionLimit) {
      add(
        name,
        'too_long',
        `/${name} has ${value.length} characters; at most ${extensionLimit} are allowed.`,
      );
    }
  }
  return problems;
}

/**
 * Checks one CloudEvent (parsed structured JSON) that asks for something, and gives it the form
 * in which the intake keeps it.
 * @param value what was sent
 * @param given what the way in knows: the tenant the key is bound to, the key's id, the time now,
 *   and the regions there are (without them any name of a region is taken)
 * @returns the event with its contract, or every problem found (at most 16 in the data)
 */
export function acceptIntake(
  value: unknown,
  given: {
    readonly tenant: string;
    readonly actor?: string;
    readonly now: string;
    readonly traceparent?: string;
    readonly regions?: readonly string[];
  },
): IntakeResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      ok: false,
      problems: [{ pointer: '', code: 'type', detail: 'A CloudEvent must be a JSON object.' }],
    };
  }
  const event = value as Record<string, unknown>;
  const problems = attributeProblems(event, given.regions);
  const type = typeof event['type'] === 'string' ? event['type'] : undefined;
  const contract = type === undefined ? undefined : contractOf(type);
  if (event['tenant'] !== undefined && event['tenant'] !== given.tenant) {
    problems.push({
      pointer: '/tenant',
      code: 'mismatch',
      detail: `/tenant must be ${given.tenant}, the tenant of the key, or absent.`,
    });
  }
  if (type !== undefined && (contract === undefined || contract.kind !== 'COMMAND')) {
    problems.push({
      pointer: '/type',
      code: 'not_allowed',
      detail:
        contract === undefined
          ? `/type ${JSON.stringify(type.slice(0, 100))} is not known.`
          : `/type ${type} is a decision of Meridian's own; it cannot be published from outside.`,
    });
  }
  if (contract !== undefined && contract.kind === 'COMMAND') {
    problems.push(...validateData(contract, event['data'] ?? {}));
  }
  if (problems.length > 0 || contract === undefined) {
    return {
      ok: false,
      problems,
      ...(contract?.kind === 'COMMAND' ? { type: contract.type } : {}),
    };
  }
  const traceparent = given.traceparent ?? event['traceparent'];
  const actor = given.actor ?? event['actor'];
  return {
    ok: true,
    contract,
    event: {
      specversion: '1.0',
      id: event['id'] as string,
      source: event['source'] as string,
      type: contract.type,
      subject: event['subject'] as string,
      time: (event['time'] as string | undefined) ?? given.now,
      tenant: given.tenant,
      datacontenttype: 'application/json',
      ...(event['correlationid'] === undefined
        ? {}
        : { correlationid: event['correlationid'] as string }),
      ...(event['region'] === undefined ? {} : { region: event['region'] as string }),
      ...(actor === undefined ? {} : { actor: actor as string }),
      ...(traceparent === undefined ? {} : { traceparent: traceparent as string }),
      data: event['data'] ?? {},
    },
  };
}

/**
 * The message id under which the log deduplicates a request: `<tenant>#<source>#<id>`, what is not
 * plain in the id percent-encoded, so that no two requests share one and any header holds it.
 */
export function intakeMessageId(event: Pick<IntakeEnvelope, 'tenant' | 'source' | 'id'>): string {
  const { tenant, source, id } = event;
  return `${tenant}#${source}#${/^[\w.:@/-]+$/.test(id) ? id : encodeURIComponent(id)}`;
}
