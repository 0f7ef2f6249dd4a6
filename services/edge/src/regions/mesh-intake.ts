import { randomUUID } from 'node:crypto';
import { meshTenant, type Appended, type Log } from '@meridian/journal';
import { acceptIntake, intakeMessageId, intakeStream, intakeSubject } from '@meridian/wire';
import { Refusal } from '../domain/problem.ts';
import { orRefuse } from '../http/log-fault.ts';

/** A request of the mesh's own tenant. */
export interface MeshRequest {
  readonly type: string;
  /** What it is about: `failover` or `drill`. */
  readonly entity: string;
  readonly subject: string;
  readonly home: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Sent again with the same id, it is the same request. */
  readonly id?: string;
  /** The id of the key. */
  readonly actor: string;
  /** RFC 3339. */
  readonly now: string;
}

/**
 * Stores a request for the region's recovery, also while the way in is shut: to let a region decide
 * again may be what opens it.
 * @throws Refusal 400 when it does not keep its contract; 503 when the log does not answer
 */
export async function storeMeshRequest(
  log: Log,
  region: string,
  { type, entity, subject, home, data, id = randomUUID(), actor, now }: MeshRequest,
): Promise<Appended & { readonly id: string; readonly stream: string }> {
  const result = acceptIntake(
    { specversion: '1.0', id, source: `/${region}/edge`, type, subject, data },
    { tenant: meshTenant, actor, now },
  );
  if (!result.ok) {
    const errors = result.problems.map((problem) => ({
      ...problem,
      // The body holds the data alone.
      pointer: problem.pointer.replace(/^\/data/, ''),
    }));
    throw new Refusal('bad-request', errors[0]?.detail ?? '', { errors });
  }
  const stream = intakeStream(region);
  const stored = await orRefuse(
    log.append(stream, {
      subject: intakeSubject(region, home, { tenant: meshTenant, entity, id: subject }),
      data: JSON.stringify(result.event),
      messageId: intakeMessageId(result.event),
    }),
  );
  return { ...stored, id, stream };
}
