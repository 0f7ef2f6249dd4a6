import type { EdgeClient } from '../http/client.ts';

/** What an answer of the read models embodies. */
export interface StreamPosition {
  readonly stream: string;
  readonly sequence: number;
}

export interface ListPage<Row> {
  readonly rows: readonly Row[];
  readonly position: StreamPosition;
}

/** How many rows are asked for at once: the most that the edge gives. */
const pageLimit = 500;

/** All pages of `GET /v1/contacts`, `/v1/agents` or `/v1/queues`, each at its own position. */
export async function* listPages<Row>(
  client: EdgeClient,
  model: 'contacts' | 'agents' | 'queues',
): AsyncGenerator<ListPage<Row>> {
  let after: string | null = null;
  do {
    const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
    const answer: Record<string, unknown> = await client.get(
      `/v1/${model}?limit=${pageLimit}${query}`,
    );
    yield { rows: answer[model] as readonly Row[], position: answer['position'] as StreamPosition };
    after = answer['next'] as string | null;
  } while (after !== null);
}

/** All rows of a read model, and the position of its last page. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what a row is
export async function listAll<Row>(
  client: EdgeClient,
  model: 'contacts' | 'agents' | 'queues',
): Promise<{ rows: Row[]; position: StreamPosition }> {
  const rows: Row[] = [];
  let position: StreamPosition = { stream: '', sequence: 0 };
  for await (const page of listPages<Row>(client, model)) {
    rows.push(...page.rows);
    ({ position } = page);
  }
  return { rows, position };
}

/** The stream of decisions of the region behind the edge, such as EV_eu. */
export async function eventStreamOf(client: EdgeClient): Promise<string> {
  const { position } = await client.get<{ position: StreamPosition }>('/v1/queues?limit=1');
  return position.stream;
}
