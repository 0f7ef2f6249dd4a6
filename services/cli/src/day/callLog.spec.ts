import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { callColumns, parseRow } from './call.ts';
import { longestLineCharacters, readCallLog } from './callLog.ts';
import { DayFault } from './fault.ts';

const header = callColumns.join(',');
const served = '1999-08-02T07:00:00,AA0101,PS,2,147,5,5,30,AGENT,36,114,A05';
const atOnce = '1999-08-02T07:00:10,AA0102,NW,0,,9,,0,AGENT,8,60,A06';
const abandoned = '1999-08-02T07:01:00,AA0103,NE,1,12,6,6,90,HANG,,280,';
const leftInIvr = '1999-08-02T07:02:00,AA0104,IN,0,,17,,0,HANG,,0,';
const phantom = '1999-08-02T07:03:00,AA0105,TT,1,19,0,0,46,PHANTOM,,7,';
const skewed = '1999-08-02T07:04:00,AA0106,PS,2,5,-87,-87,101,AGENT,13,61,A05';
const noStart = '1999-08-02T07:05:00,AA0107,PE,1,7,5,6,20,AGENT,,0,';
const nextDay = '1999-08-03T07:00:00,AA0101,PS,0,,5,,0,AGENT,4,10,A05';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'call-log-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: string | Uint8Array): Promise<string> {
  const path = join(folder, `log-${Math.trunc(performance.now() * 1e6)}`);
  await writeFile(path, content);
  return path;
}

async function faultOf(promise: Promise<unknown>): Promise<DayFault> {
  const error = await promise.then(
    () => new Error('nothing was thrown'),
    (cause: unknown) => cause,
  );
  if (error instanceof DayFault) return error;
  throw error;
}

const at = (time: string): number => Date.parse(`1999-08-02T${time}Z`);

describe('a row', () => {
  test('of a served call, which queued', () => {
    expect(parseRow(served, 2)).toStrictEqual({
      call: {
        line: 2,
        arrivalAt: at('07:00:00'),
        type: 'PS',
        priority: 2,
        customer: '147',
        ivrSeconds: 5,
        queued: true,
        waitSeconds: 30,
        outcome: 'SERVED',
        serviceStartedAt: at('07:00:36'),
        serviceSeconds: 114,
        agent: 'A05',
      },
      date: '1999-08-02',
      clampedOffsets: 0,
      inferredStart: false,
    });
  });

  test('of a call answered at once never queued', () => {
    expect(parseRow(atOnce, 2).call).toMatchObject({
      queued: false,
      waitSeconds: 0,
      ivrSeconds: 9,
      customer: null,
      serviceStartedAt: at('07:00:18'),
    });
  });

  test('of a hang-up has no service and no agent, whatever is recorded', () => {
    const facts = { outcome: 'ABANDONED', waitSeconds: 90, serviceSeconds: 0, agent: null };
    expect(parseRow(abandoned, 2).call).toMatchObject(facts);
    expect(parseRow(`${abandoned}A05`, 2).call).toMatchObject(facts);
    expect(parseRow(leftInIvr, 2).call).toMatchObject({ outcome: 'LEFT_IN_IVR', ivrSeconds: 17 });
  });

  test('of a phantom holds no call', () => {
    expect(parseRow(phantom, 2).call).toBeNull();
  });

  test('with offsets below zero has them at 0 and its wait as recorded', () => {
    const row = parseRow(skewed, 2);
    expect(row.clampedOffsets).toBe(2);
    expect(row.call).toMatchObject({
      ivrSeconds: 0,
      waitSeconds: 101,
      serviceStartedAt: at('07:04:13'),
    });
  });

  test('without a service start has it at the end of the IVR plus the wait', () => {
    const row = parseRow(noStart, 2);
    expect(row.inferredStart).toBe(true);
    expect(row.call).toMatchObject({ serviceStartedAt: at('07:05:26'), agent: null });
  });
});

describe('a row is refused', () => {
  const faultOfRow = (text: string): DayFault => {
    try {
      parseRow(text, 7);
    } catch (error) {
      if (error instanceof DayFault) return error;
    }
    throw new Error(`not refused: ${text}`);
  };

  test.each([
    ['arrival', '1999-08-02T07:00:00', '1999-02-30T07:00:00'],
    ['arrival', '1999-08-02T07:00:00', '02/08/1999 07:00'],
    ['type', 'PS', 'XX'],
    ['priority', ',2,147', ',3,147'],
    ['vru_s', ',5,5,', ',5.5,5,'],
    ['queue_start_offset_s', ',5,5,', ',5,-601,'],
    ['wait_s', ',30,', ',,'],
    ['wait_s', ',30,', ',-1,'],
    ['outcome', 'AGENT', 'LOST'],
    ['service_start_offset_s', ',36,', ',soon,'],
    ['service_s', ',114,', ',,'],
    ['service_s', ',114,', ',86401,'],
    ['agent', 'A05', 'A 05'],
    ['wait_s', ',5,5,', ',5,,'],
    ['vru_s', '147,5,5,30', '147,,,0'],
  ])('for its %s: %s -> %s', (column, from, to) => {
    const fault = faultOfRow(served.replace(from, to));
    expect([fault.line, fault.column]).toStrictEqual([7, column]);
    expect(fault.message).toMatch(new RegExp(`^Line 7, column ${column}: .+\n.+`));
  });

  test('with a message that says what is wrong and then what to do', () => {
    expect(faultOfRow(served.replace(',114,', ',long,')).message).toBe(
      'Line 7, column service_s: "long" is not a whole number of seconds from 0 to 86400.\n' +
        'Correct service_s on line 7, or remove the row.',
    );
  });

  test('for the number of its columns', () => {
    expect(faultOfRow(`${served},1`).message).toBe(
      'Line 7: 13 columns where 12 are expected.\n' +
        'Give every column a value or leave it empty; a value holds no comma.',
    );
  });
});

describe('a file', () => {
  const rows = [served, atOnce, abandoned, leftInIvr, phantom, skewed, noStart, nextDay];
  const text = `${[header, ...rows].join('\n')}\n`;

  test('reads the same plain, gzip, with CRLF, a byte-order mark or no last newline', async () => {
    const plain = await readCallLog(await fileOf(text), '1999-08-02');
    const crlf = `\uFEFF${text.replaceAll('\n', '\r\n')}`;
    expect(await readCallLog(await fileOf(gzipSync(text)), '1999-08-02')).toStrictEqual(plain);
    expect(await readCallLog(await fileOf(crlf), '1999-08-02')).toStrictEqual(plain);
    expect(await readCallLog(await fileOf(text.trimEnd()), '1999-08-02')).toStrictEqual(plain);
    expect(plain).toMatchObject({
      date: '1999-08-02',
      rows: 7,
      phantoms: 1,
      clampedRows: 1,
      inferredStarts: 1,
    });
    expect(plain.calls.map((call) => call.line)).toStrictEqual([2, 3, 4, 5, 7, 8]);
  });

  test('is read whole without a day', async () => {
    const log = await readCallLog(await fileOf(text));
    expect([log.date, log.rows, log.calls.length]).toStrictEqual([null, 8, 7]);
  });

  test('larger than one chunk loses no line', async () => {
    const many = [header, ...Array.from({ length: 5000 }, () => served)].join('\n');
    const log = await readCallLog(await fileOf(many), '1999-08-02');
    expect(log.calls.length).toBe(5000);
    expect(log.calls.at(-1)?.line).toBe(5001);
  });

  test('is refused for a bad row of another day', async () => {
    const fault = await faultOf(readCallLog(await fileOf(`${text}x,`), '1999-08-02'));
    expect(fault.line).toBe(10);
  });

  test('is refused for its header', async () => {
    const wrong = text.replace('vru_s', 'ivr_s');
    const fault = await faultOf(readCallLog(await fileOf(wrong), '1999-08-02'));
    expect(fault.message).toBe(
      `Line 1: column 6 is "ivr_s" where vru_s is expected.\nUse exactly this header: ${header}`,
    );
    const longer = await faultOf(readCallLog(await fileOf(text.replace('agent', 'agent,x'))));
    expect(longer.message).toContain('Line 1: column 13 is "x" where the end is expected.');
  });

  test('is refused for a day that is none, or that it does not hold', async () => {
    const path = await fileOf(text);
    expect((await faultOf(readCallLog(path, '1999-02-30'))).message).toBe(
      'The day "1999-02-30" is not a date.\nWrite it as year-month-day, such as 1999-08-02.',
    );
    expect((await faultOf(readCallLog(path, '1999-08-04'))).message).toBe(
      `The call log ${path} has no call on 1999-08-04.\n` +
        'Choose a day from 1999-08-02 to 1999-08-03.',
    );
    const empty = await fileOf('');
    expect((await faultOf(readCallLog(empty))).message).toContain('has no rows.');
  });

  test('is refused when missing, cut short or not made of lines', async () => {
    const missing = await faultOf(readCallLog(join(folder, 'none.csv')));
    expect(missing.message).toMatch(/cannot be opened: ENOENT.*\nName an existing CSV file/);
    const cut = gzipSync(text).subarray(0, 150);
    expect((await faultOf(readCallLog(await fileOf(cut)))).message).toContain('is cut short');
    const endless = await fileOf('x'.repeat(longestLineCharacters * 40));
    expect((await faultOf(readCallLog(endless))).message).toContain('Line 1 is longer than 4096');
  });
});
