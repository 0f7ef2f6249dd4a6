import { mirroredStreams, replication, vaultReplication } from '@meridian/journal';

/** What crosses the link that one region dials to another. Nothing else does. */
export interface LinkSubjects {
  /** Requests and reports from the dialling region; answers come back as one or many messages. */
  readonly requests: readonly string[];
  /** Reports, flow control: no answer. */
  readonly reports: readonly string[];
  /** What the dialled region sends by itself. */
  readonly deliveries: readonly string[];
}

/**
 * The subjects of the link that `from` dials to `to` in a mesh of `regions`: what durable mirrors of
 * the copies that `to` holds need, the API keys among them, and reading those copies; what the mirror
 * of its vault needs; the report of how far `from` holds them, and the hashes by which copies are
 * compared. Nothing that could delete or purge a stream, store in one, or make any other consumer.
 */
export function linkSubjects(from: string, to: string, regions: readonly string[]): LinkSubjects {
  const api = `$JS.${to}.API`;
  const requests: string[] = [];
  const reports: string[] = [];
  for (const { stream, origin } of mirroredStreams(regions)) {
    requests.push(
      `${api}.STREAM.INFO.${stream}`,
      `${api}.DIRECT.GET.${stream}`,
      `${api}.DIRECT.GET.${stream}.>`,
    );
    // A region's own streams too: one that is damaged is copied back from a mirror.
    const { consumer } = replication({ here: from, source: to, origin, stream });
    for (const verb of ['CREATE', 'INFO', 'RESET', 'DELETE']) {
      requests.push(`${api}.CONSUMER.${verb}.${stream}.${consumer}`);
    }
    reports.push(`$JS.FC.${stream}.${consumer}.>`);
  }
  // The dialled region makes this consumer, which leaves out keys that must not leave its residency
  // set: whoever dials can neither make another one nor read the stream past it.
  const vault = vaultReplication(from, to);
  for (const verb of ['INFO', 'RESET']) {
    requests.push(`${api}.CONSUMER.${verb}.${vault.stream}.${vault.consumer}`);
  }
  reports.push(`$JS.FC.${vault.stream}.${vault.consumer}.>`);
  requests.push(`copies.${to}.chunks.${from}`);
  reports.push(`beat.${to}.held.${from}`, `beat.${to}.copies.${from}`);
  return { requests, reports, deliveries: [`repl.${from}.${to}.>`] };
}
