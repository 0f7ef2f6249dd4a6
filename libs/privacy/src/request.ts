import type { MessageToAppend } from '@meridian/journal';
import { acceptIntake, intakeMessageId, intakeStream, intakeSubject } from '@meridian/wire';
import { privacyHome } from './follow-privacy.ts';
import type { Command } from './domain/privacy.ts';
import type { RecordAccess } from './domain/access.ts';

/** A request about persons' data, as an edge or the keeper of a region asks. */
export interface PrivacyRequest {
  readonly tenant: string;
  /** The region in whose intake it is stored, and all there are. */
  readonly region: string;
  readonly regions: readonly string[];
  /** Who asks: `edge` or `audit`. */
  readonly service: string;
  readonly type: Command['type'] | RecordAccess['type'];
  /** Sent again with the same id, it is the same request. */
  readonly id: string;
  /** The aggregate: `all`, or a day's accesses. */
  readonly subject: string;
  readonly data: unknown;
  /** The id of the API key; absent for the mesh's own requests. */
  readonly actor?: string;
  /** RFC 3339. */
  readonly now: string;
}

/** What is to be appended to the intake, and to which stream. */
export interface RequestToStore {
  readonly stream: string;
  readonly message: MessageToAppend;
}

/**
 * Makes the message of a request, checked against its contract.
 * @returns the message, or the problems, each with its pointer into the event
 */
export function privacyRequest({
  tenant,
  region,
  regions,
  service,
  type,
  id,
  subject,
  data,
  actor,
  now,
}: PrivacyRequest):
  | { readonly ok: true; readonly store: RequestToStore }
  | Extract<ReturnType<typeof acceptIntake>, { ok: false }> {
  const result = acceptIntake(
    { specversion: '1.0', id, source: `/${region}/${service}`, type, subject, data },
    { tenant, now, ...(actor === undefined ? {} : { actor }) },
  );
  if (!result.ok) return result;
  const aggregate = { tenant, entity: 'privacy', id: subject };
  return {
    ok: true,
    store: {
      stream: intakeStream(region),
      message: {
        subject: intakeSubject(region, privacyHome(regions), aggregate),
        data: JSON.stringify(result.event),
        messageId: intakeMessageId(result.event),
      },
    },
  };
}
