import { describe, expect, it } from '@jest/globals';
import { readLines } from './lines.ts';

async function linesOf(bytes: Buffer, size: number): Promise<string[]> {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
  }
  const lines: string[] = [];
  for await (const some of readLines(chunks())) lines.push(...some);
  return lines;
}

describe('readLines', () => {
  it('gives every line, however bytes and characters are cut', async () => {
    const bytes = Buffer.from('eins\r\n\nzwei ü 🙂\ndrei');
    for (let size = 1; size <= bytes.length; size++) {
      expect(await linesOf(bytes, size)).toEqual(['eins', '', 'zwei ü 🙂', 'drei']);
    }
  });

  it('gives nothing for nothing', async () => {
    expect(await linesOf(Buffer.from(''), 1)).toEqual([]);
  });
});
