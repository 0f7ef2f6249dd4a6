import { setTimeout as wait } from 'node:timers/promises';
import type { MeshView } from '@meridian/cli';
import type { DevelopmentMesh } from '../development/mesh.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { Edge } from './doors.ts';

/** Where a drill takes place: the regions, and what is done to them, noted with its time. */
export class Stage {
  readonly mesh: DevelopmentMesh;
  /** Epoch ms. */
  readonly startedAt = Date.now();
  readonly actions: { readonly atMs: number; readonly what: string }[] = [];
  /** What those outside were told. */
  readonly acknowledgements = new Acknowledgements();
  /** One line for each step. */
  readonly say: (line: string) => void;

  constructor(mesh: DevelopmentMesh, say: (line: string) => void) {
    this.mesh = mesh;
    this.say = say;
  }

  get regions(): string[] {
    return [...this.mesh.regions.keys()];
  }

  edge(region: string): Edge {
    const { url, key } = this.mesh.region(region);
    return { region, url, key };
  }

  edges(): Edge[] {
    return this.regions.map((region) => this.edge(region));
  }

  /** Those of a list that run. */
  living(): string[] {
    return this.regions.filter((region) => this.mesh.region(region).isRunning);
  }

  /** Notes what is done now. @returns epoch ms */
  note(what: string): number {
    const now = Date.now();
    this.actions.push({ atMs: now - this.startedAt, what });
    this.say(`${((now - this.startedAt) / 1_000).toFixed(1)} s: ${what}`);
    return now;
  }

  /** The mesh as a region that runs sees it; undefined when it does not say. */
  async view(region: string): Promise<MeshView | undefined> {
    const { url, key } = this.edge(region);
    try {
      const answer = await fetch(`${url}/v1/regions`, {
        headers: { authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(3_000),
      });
      return answer.ok ? ((await answer.json()) as MeshView) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Asks a region's edge for something. @throws Error with what it answered */
  async ask(region: string, path: string, body: unknown): Promise<void> {
    const { url, key } = this.edge(region);
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`POST ${path} of ${region}: ${answer.status} ${text}`);
  }

  /**
   * Waits until a region that looks sees a home decided for by somebody for whom `isSo` holds.
   * @returns whether it did in time
   */
  async untilOwner(
    looking: string,
    home: string,
    isSo: (owner: string, epoch: number) => boolean,
    limitMs = 60_000,
  ): Promise<boolean> {
    return untilTrue(limitMs, async () => {
      const view = await this.view(looking);
      const found = view?.homes.find((one) => one.home === home);
      return found?.state === 'ACTIVE' && isSo(found.owner, found.epoch);
    });
  }
}

/** Asks again until the answer is yes. @returns whether it was within the limit */
export async function untilTrue(
  limitMs: number,
  check: () => Promise<boolean>,
  pauseMs = 100,
): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await check().catch(() => false)) return true;
    if (performance.now() >= end) return false;
    await wait(pauseMs);
  }
}
