import { join } from 'node:path';
import { buildReceipt, type DayFacts, type DeedMessage, type SignedDay } from '@meridian/cli';
import { drillRecord, signAndWrite } from '../drill/keep.ts';
import { versions } from '../drill/versions.ts';
import type { DevelopmentMesh } from './mesh.ts';
import { until } from './ports.ts';

/** The default of the services. */
const leaseMs = Number(process.env['MERIDIAN_LEASE_MS'] ?? 5_000);

/**
 * Does what the player asks for and cannot do itself, as it is outside: kills or starts a region,
 * or signs the receipt of the day.
 * @param home where the checkout keeps keys and receipts
 * @returns the message, with what came of it, or why it failed
 */
export async function obey(
  mesh: DevelopmentMesh | undefined,
  message: DeedMessage,
  home: string,
): Promise<DeedMessage> {
  try {
    if (mesh === undefined) throw new Error('it is the only region.');
    if (message.deed === 'sign') {
      return { deed: 'sign', facts: message.facts, signed: await sign(mesh, message.facts, home) };
    }
    const member = mesh.region(message.region);
    await (message.deed === 'kill' ? member.kill() : member.start());
    return message;
  } catch (error) {
    return { ...message, failed: (error as Error).message };
  }
}

/** Signs the receipt of a day, writes it, and puts it on the log's list of drills. */
async function sign(mesh: DevelopmentMesh, facts: DayFacts, home: string): Promise<SignedDay> {
  const time = facts.startedAt.replaceAll(/[-:]|\..*$/g, '');
  const receipt = buildReceipt({
    ...facts,
    id: `day-${time}-kill-${facts.parameters.home}`,
    versions: versions(),
    parameters: { ...facts.parameters, leaseMs },
  });
  const signed = signAndWrite(receipt, home, join(home, 'drills'));
  const { url, key } = mesh.region(signed.region);
  const answer = await fetch(`${url}/v1/drills`, {
    method: 'POST',
    body: JSON.stringify(drillRecord(receipt, signed)),
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) {
    throw new Error(
      `it is in ${signed.file}, but ${signed.region} did not take it for the log: ` +
        `${answer.status} ${await answer.text()}`,
    );
  }
  await until(`${receipt.id} on the list of drills`, async () => {
    const kept = await fetch(`${url}/v1/drills/${receipt.id}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    return kept.ok;
  });
  return { text: signed.text, file: signed.file };
}
