import {
  contactEventName,
  durationsIn,
  endStates,
  spentUntil,
  type ContactState,
  type FoldedContact,
} from './contact-fold.ts';
import { numberIn, textIn, timeIn, timestampOf, type LoggedEvent, type Place } from './raw.ts';
import type { Report } from './violation.ts';
import { keyOf, type World } from './world.ts';

type Phase = NonNullable<FoldedContact['phase']>;

/** From which states an event may come, and which event of the same decision must come before it. */
interface Step {
  readonly from: readonly ContactState[];
  readonly after?: Phase;
  /** The state in which `after` must come before; in the others it need not. */
  readonly when?: readonly ContactState[];
}

const beforeAnswer: readonly ContactState[] = ['IN_SYSTEM', 'IVR', 'QUEUED', 'OFFERED'];
const inQueue: readonly ContactState[] = ['QUEUED', 'OFFERED'];
const inTalk: readonly ContactState[] = ['CONNECTED', 'HELD'];
const living: readonly ContactState[] = [...beforeAnswer, ...inTalk, 'WRAP_UP'];

const steps: Readonly<Record<string, Step>> = {
  connected_to_system: { from: ['IN_SYSTEM'] },
  ivr_started: { from: ['IN_SYSTEM'] },
  ivr_ended: { from: ['IVR'] },
  attributes_updated: { from: living },
  queued: { from: ['IN_SYSTEM', 'IVR'], after: 'ivr_ended', when: ['IVR'] },
  offered: { from: ['QUEUED'] },
  requeued: { from: ['OFFERED'] },
  dequeued: { from: inQueue },
  connected_to_agent: { from: ['OFFERED'], after: 'dequeued' },
  held: { from: ['CONNECTED'] },
  resumed: { from: ['HELD'] },
  disconnected: { from: inTalk },
  acw_started: { from: inTalk, after: 'disconnected' },
  acw_ended: { from: ['WRAP_UP'] },
  disposed: { from: ['WRAP_UP'], after: 'acw_ended' },
  completed: { from: ['WRAP_UP'], after: 'acw_ended' },
  abandoned: { from: beforeAnswer, after: 'dequeued', when: inQueue },
  orphan_reaped: { from: living, after: 'dequeued', when: inQueue },
};

const listed = (durations: ReadonlyMap<string, number>): string =>
  [...durations].map(([state, durationMs]) => `${state} ${durationMs} ms`).join(', ') || 'none';

/** Rule 4: judges an event about a contact by what the world was before it. */
export function checkContact(world: World, place: Place, event: LoggedEvent, report: Report): void {
  const name = contactEventName(event.type);
  if (name === undefined) return;
  const contact = world.contacts.get(keyOf(event.tenant, event.subject));
  if (contact === undefined || endStates.has(contact.state)) {
    if (name !== 'initiated' || contact !== undefined) {
      report(
        place,
        'contact',
        contact === undefined ? 'initiated first' : `nothing after ${contact.state}`,
        name,
      );
    }
    return;
  }
  checkStep(contact, place, name, report);
  if (!(event.timeMs >= contact.lastAtMs)) {
    report(place, 'contact', `a time not before ${timestampOf(contact.lastAtMs)}`, event.time);
  }
  checkTimes(contact, place, name, event, report);
}

function checkStep(contact: FoldedContact, place: Place, name: string, report: Report): void {
  const step = steps[name];
  if (step === undefined) {
    const what = name === 'initiated' ? 'initiated once' : 'an event of a contact';
    report(place, 'contact', what, name === 'initiated' ? 'a second time' : name);
    return;
  }
  if (!step.from.includes(contact.state)) {
    report(
      place,
      'contact',
      `${name} from ${step.from.join(' or ')}`,
      `${name} from ${contact.state}`,
    );
    return;
  }
  const bound = step.after !== undefined && (step.when ?? step.from).includes(contact.state);
  if (bound && contact.phase !== step.after) {
    report(place, 'contact', `${step.after} before ${name}`, contact.phase ?? 'nothing');
  }
}

function checkTimes(
  contact: FoldedContact,
  place: Place,
  name: string,
  event: LoggedEvent,
  report: Report,
): void {
  const { data, timeMs } = event;
  switch (name) {
    case 'dequeued': {
      const waitedMs = timeMs - (contact.queuedAtMs ?? Number.NaN);
      if (numberIn(data, 'waitedMs') !== waitedMs) {
        report(
          place,
          'waited',
          `waitedMs: ${waitedMs}`,
          JSON.stringify(data['waitedMs']) ?? 'nothing',
        );
      }
      if (textIn(data, 'queueId') !== contact.queueId) {
        report(
          place,
          'waited',
          `queueId: ${contact.queueId}`,
          textIn(data, 'queueId') || 'nothing',
        );
      }
      break;
    }
    case 'requeued':
      if (timeIn(data, 'enqueuedAt') !== contact.queuedAtMs) {
        const expected = `enqueuedAt: ${timestampOf(contact.queuedAtMs)}`;
        report(place, 'waited', expected, textIn(data, 'enqueuedAt') || 'nothing');
      }
      break;
    case 'orphan_reaped':
      checkNamedState(contact, place, 'state', event, report);
      if (timeIn(data, 'since') !== contact.sinceMs) {
        report(place, 'durations', `since: ${timestampOf(contact.sinceMs)}`, textIn(data, 'since'));
      }
      checkDurations(contact, place, event, report);
      break;
    case 'abandoned':
      checkNamedState(contact, place, 'stage', event, report);
      checkDurations(contact, place, event, report);
      break;
    case 'completed':
      checkDurations(contact, place, event, report);
      break;
    default:
  }
}

function checkNamedState(
  contact: FoldedContact,
  place: Place,
  field: 'state' | 'stage',
  { data }: LoggedEvent,
  report: Report,
): void {
  const named = textIn(data, field);
  if (named !== contact.state) {
    report(place, 'contact', `${field}: ${contact.state}`, named || 'nothing');
  }
}

/** Each duration against the contact's own events, and their sum against its whole life. */
function checkDurations(
  contact: FoldedContact,
  place: Place,
  event: LoggedEvent,
  report: Report,
): void {
  const stated = durationsIn(event.data);
  const lived = spentUntil(contact, event.timeMs);
  const states = new Set([...stated.keys(), ...lived.keys()]);
  const differs = [...states].some((state) => (stated.get(state) ?? 0) !== (lived.get(state) ?? 0));
  if (differs) report(place, 'durations', listed(lived), listed(stated));
  const sum = [...stated.values()].reduce((total, durationMs) => total + durationMs, 0);
  const whole = event.timeMs - contact.initiatedAtMs;
  if (sum !== whole) report(place, 'durations', `${whole} ms in all`, `${sum} ms in all`);
}
