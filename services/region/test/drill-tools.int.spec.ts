import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectNats } from '@meridian/journal';
import { startNatsServer, temporaryFolder, type TemporaryFolder } from '@meridian/testing';
import { jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { FilledStore } from '../src/drill/filled-store.ts';
import { StoreRoom } from '../src/drill/store-room.ts';

const folders: TemporaryFolder[] = [];
const folder = (): string => {
  const made = temporaryFolder('meridian-drill-tools-');
  folders.push(made);
  return made.path;
};

afterEach(() => {
  for (const made of folders.splice(0)) made.remove();
});

/** Says what its clocks show: at its start, and after each signal. */
const program = `
  const say = () => console.log(JSON.stringify({
    now: Date.now(), made: +new Date(), told: Date.parse(Date()), given: +new Date(5),
    isDate: new Date() instanceof Date, origin: performance.timeOrigin, passed: performance.now(),
  }));
  process.on('SIGUSR2', say);
  process.stdin.resume();
  say();
`;

interface Clocks {
  readonly now: number;
  readonly made: number;
  readonly told: number;
  readonly given: number;
  readonly isDate: boolean;
  readonly origin: number;
  readonly passed: number;
}

describe('a clock that jumps', () => {
  it('shows another time by the wall, and goes on where it measures', async () => {
    const preload = fileURLToPath(new URL('../src/drill/clock-shift.ts', import.meta.url));
    const file = join(folder(), 'shift');
    const child = spawn(process.execPath, [`--import=${preload}`, '-e', program], {
      env: { ...process.env, NODE_OPTIONS: '', MERIDIAN_DRILL_CLOCK_FILE: file },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<Clocks> => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error('The program ended.');
        if (value.startsWith('{')) return JSON.parse(value) as Clocks;
      }
    };
    try {
      const before = await next();
      writeFileSync(file, '600000');
      child.kill('SIGUSR2');
      const after = await next();
      const passed = after.passed - before.passed;
      for (const clock of ['now', 'made', 'told'] as const) {
        // `told` has whole seconds only.
        expect(Math.abs(after[clock] - before[clock] - 600_000 - passed)).toBeLessThan(1_500);
      }
      expect(after.origin - before.origin).toBe(600_000);
      expect(after).toMatchObject({ given: 5, isDate: true });
      writeFileSync(file, '0');
      child.kill('SIGUSR2');
      expect((await next()).now).toBeLessThan(after.now);
    } finally {
      child.kill('SIGKILL');
    }
  }, 60_000);
});

describe('a store room', () => {
  it('is filled to the last byte, and emptied; who may not mount is told', async () => {
    const path = join(folder(), 'store');
    const room = await StoreRoom.mount(path, 2).catch((error: unknown) => error as Error);
    if (room instanceof Error) {
      expect(room.message).toContain('mount');
      return;
    }
    try {
      const write = (): void => {
        mkdirSync(join(path, 'stream'), { recursive: true });
        writeFileSync(join(path, 'stream', 'block'), Buffer.alloc(4_096));
      };
      room.fill();
      expect(write).toThrow('ENOSPC');
      expect(statSync(join(path, 'filler')).size).toBeGreaterThan(1_900_000);
      room.empty();
      write();
    } finally {
      await room.unmount();
    }
    expect(existsSync(join(path, 'stream'))).toBe(false);
  }, 60_000);
});

describe('a store that may hold so much', () => {
  it('takes nothing from anybody while it is filled, and goes on once it is emptied', async () => {
    const server = await startNatsServer({ config: 'jetstream { max_file_store: 16MB }' });
    const mine = await connectNats({ servers: server.url, name: 'somebody' });
    try {
      const manager = await jetstreamManager(mine);
      await manager.streams.add({ name: 'MINE', subjects: ['mine'], storage: StorageType.File });
      const store = new FilledStore();
      const publish = () => jetstream(mine).publish('mine', new Uint8Array(2_000));
      expect((await publish()).seq).toBe(1);
      await store.fill(await connectNats({ servers: server.url, name: 'filler' }));
      await expect(publish()).rejects.toThrow('insufficient resources');
      await store.empty();
      expect((await publish()).seq).toBe(2);
    } finally {
      await mine.close();
      await server.stop();
    }
  }, 60_000);
});
