import { describe, expect, it } from '@jest/globals';
import { memoryLog } from '@meridian/journal';
import { privacyDecider, type DecidedPrivacy, type Privacy } from '@meridian/privacy';
import { memoryVaults, type Vault } from '@meridian/vault';
import { pino } from 'pino';
import { KeyEraser } from '../src/privacy/key-eraser.ts';

const regions = ['ap', 'eu', 'us'];
const at = 1_790_000_000_000;
const all = 'all';

/** One region's eraser, told what was decided. */
class Stage {
  readonly log = memoryLog({ now: () => at });
  readonly errors: string[] = [];
  readonly eraser: KeyEraser;
  state: Privacy = privacyDecider.initial();
  nowMs = 0;

  constructor(vault: Pick<Vault, 'destroy' | 'keyById'>, region = 'us') {
    const out = {
      write: (line: string) => this.errors.push((JSON.parse(line) as { msg: string }).msg),
    };
    this.eraser = new KeyEraser({
      log: this.log,
      vault,
      privacy: { tenants: () => [['demo', this.state]] },
      region,
      regions,
      now: () => at,
      monotonicMs: () => this.nowMs,
      logger: pino({ level: 'error' }, out),
    });
  }

  decided(event: Pick<DecidedPrivacy, 'type' | 'data'>): void {
    const whole = { ...event, subject: all } as DecidedPrivacy;
    this.state = privacyDecider.evolve(this.state, whole, at);
  }

  erase(keys: readonly string[], where: readonly string[] = ['eu', 'us']): void {
    this.decided({
      type: 'meridian.privacy.subject_erasure_requested.v1',
      data: {
        erasureId: 'e1',
        keys: keys.map((id) => ({ id, regions: where })),
        regions: where,
        reason: 'r',
        requestedAt: new Date(at).toISOString(),
      },
    });
  }

  async work(rounds = 1, stepMs = 600): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      this.nowMs += stepMs;
      await this.eraser.work();
    }
  }

  confirmations(region = 'us'): unknown[] {
    return this.log
      .messages(`IN_${region}`)
      .map((message) => (JSON.parse(message.text()) as { data: unknown }).data);
  }
}

async function withKeys() {
  const vaults = memoryVaults(regions);
  const eu = await (vaults.get('eu') as Vault).keyFor('demo', 'ann', regions);
  const us = await (vaults.get('us') as Vault).keyFor('demo', 'ann', ['us']);
  const bob = await (vaults.get('us') as Vault).keyFor('demo', 'bob', regions);
  return { vault: vaults.get('us') as Vault, eu, us, bob };
}

describe('the keeper of a region', () => {
  it('destroys the keys of own and foreign vaults, looks twice, then says so once', async () => {
    const { vault, eu, us, bob } = await withKeys();
    const stage = new Stage(vault);
    stage.erase([us.keyId, eu.keyId, 'never']);
    await stage.work();
    expect(await vault.keyById('demo', eu.keyId)).toBeUndefined();
    expect(await vault.keyById('demo', us.keyId)).toBeUndefined();
    expect(await vault.keyById('demo', bob.keyId)).toBeDefined();
    expect(stage.confirmations()).toEqual([]);
    await stage.work(5);
    expect(stage.confirmations()).toEqual([
      {
        erasureId: 'e1',
        region: 'us',
        destroyed: [eu.keyId, us.keyId].toSorted(),
        absent: ['never'],
      },
    ]);
    expect(stage.log.messages('IN_us')[0]?.subject).toBe('in.us.demo.ap.privacy.all');
  });

  it('says nothing while a key can still be opened, is not gone, or comes again', async () => {
    const { vault, us } = await withKeys();
    const faults = { isHeld: true, isThere: true };
    const stage = new Stage({
      keyById: (tenant, id) => (faults.isHeld ? Promise.resolve(us) : vault.keyById(tenant, id)),
      destroy: async (_, ids) =>
        ids.map((keyId) => ({
          keyId,
          stream: 'VAULT_us',
          wasThere: false,
          isGone: !faults.isThere,
        })),
    });
    stage.erase([us.keyId]);
    await stage.work(4);
    faults.isHeld = false;
    await stage.work(4);
    expect(stage.confirmations()).toEqual([]);
    faults.isThere = false;
    await vault.destroy('demo', [us.keyId]);
    await stage.work(4);
    expect(stage.confirmations()).toHaveLength(1);
  });

  it('leaves alone what is held, what is not asked of its region, and tries again', async () => {
    const { vault, us } = await withKeys();
    const stage = new Stage(vault);
    stage.decided({
      type: 'meridian.privacy.subject_erasure_blocked.v1',
      data: {
        erasureId: 'e0',
        holdIds: ['h'],
        keys: [{ id: us.keyId, regions: ['us'] }],
        reason: 'r',
        requestedAt: new Date(at).toISOString(),
      },
    });
    stage.erase([us.keyId], ['eu']);
    await stage.work(4);
    expect(await vault.keyById('demo', us.keyId)).toBeDefined();
    const failing = new Stage({
      keyById: async () => undefined,
      destroy: () => Promise.reject(new Error('away')),
    });
    failing.erase([us.keyId]);
    await failing.work(3);
    expect(failing.confirmations()).toEqual([]);
    expect(failing.errors).toHaveLength(3);
  });
});
