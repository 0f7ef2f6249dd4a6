import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.ts';
import { CuttableProxy } from './mesh-proxy.ts';

/** A server that keeps what it hears and lets the test answer. */
let server: Server;
let arrived: Socket[];
let heard: string;
let proxy: CuttableProxy;

beforeEach(async () => {
  arrived = [];
  heard = '';
  server = createServer((socket) => {
    arrived.push(socket);
    socket.on('data', (data) => {
      heard += data.toString();
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await CuttableProxy.start((server.address() as AddressInfo).port);
});

afterEach(async () => {
  for (const socket of arrived) socket.destroy();
  await proxy.close();
  server.close();
});

interface Client {
  readonly socket: Socket;
  heard: string;
  /** What it was told when it ended. */
  error: string | undefined;
}

async function dial(): Promise<Client> {
  const client: Client = { socket: connect(proxy.port, '127.0.0.1'), heard: '', error: undefined };
  client.socket.on('data', (data) => {
    client.heard += data.toString();
  });
  client.socket.on('error', (error) => {
    client.error = (error as NodeJS.ErrnoException).code;
  });
  await once(client.socket, 'connect');
  return client;
}

const hears = (text: string): Promise<boolean> => eventually(text, () => heard === text);

describe('a proxy that can be cut', () => {
  it('carries both ways, and the end of either side', async () => {
    const client = await dial();
    client.socket.write('question');
    await hears('question');
    arrived[0]?.write('answer');
    await eventually('the answer', () => client.heard === 'answer');
    expect(proxy.connections).toBe(1);
    client.socket.end();
    await eventually('both are gone', () => proxy.connections === 0 && arrived[0]?.destroyed);
  });

  it('carries much to a slow reader without losing or reordering it', async () => {
    const client = await dial();
    await eventually('the other side', () => arrived.length === 1);
    const block = Buffer.from(Array.from({ length: 65_536 }, (_, index) => index % 251));
    const all = Buffer.concat(Array.from({ length: 200 }, () => block));
    const received: Buffer[] = [];
    client.socket.removeAllListeners('data');
    client.socket.pause();
    arrived[0]?.write(all);
    client.socket.on('data', (data: Buffer) => received.push(data));
    client.socket.resume();
    const size = (): number => received.reduce((sum, { length }) => sum + length, 0);
    await eventually('everything', () => size() === all.length);
    expect(Buffer.concat(received).equals(all)).toBe(true);
    client.socket.destroy();
  });

  it('resets what is there and what comes, until it is healed', async () => {
    const client = await dial();
    await eventually('the other side', () => arrived.length === 1);
    proxy.cut({ by: 'reset' });
    await eventually('the reset', () => client.error === 'ECONNRESET' && arrived[0]?.destroyed);
    const again = connect(proxy.port, '127.0.0.1');
    const [error] = (await once(again, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    proxy.heal();
    const healed = await dial();
    healed.socket.write('again');
    await hears('again');
    healed.socket.destroy();
  });

  it('swallows everything in a black hole, and carries it after the heal', async () => {
    const client = await dial();
    await eventually('the other side', () => arrived.length === 1);
    proxy.cut({ by: 'black hole' });
    client.socket.write('held');
    const later = await dial();
    later.socket.write('begun in the dark');
    // What goes through another proxy in the meantime shows that time has passed.
    const other = await CuttableProxy.start((server.address() as AddressInfo).port);
    const witness = connect(other.port, '127.0.0.1');
    witness.write('seen');
    await hears('seen');
    expect(arrived).toHaveLength(2);
    expect(client.error).toBeUndefined();
    proxy.heal();
    await eventually('what was held', () => heard.includes('held'));
    await eventually('who came meanwhile', () => heard.includes('begun in the dark'));
    for (const socket of [client.socket, later.socket, witness]) socket.destroy();
    await other.close();
  });

  it('can lose one way only', async () => {
    const client = await dial();
    await eventually('the other side', () => arrived.length === 1);
    proxy.cut({ by: 'black hole', direction: 'backward' });
    arrived[0]?.write('lost');
    client.socket.write('arrives');
    await hears('arrives');
    expect(client.heard).toBe('');
    proxy.cut({ by: 'black hole', direction: 'forward' });
    await eventually('what was held', () => client.heard === 'lost');
    client.socket.write(', later');
    arrived[0]?.write('!');
    await eventually('the other way', () => client.heard === 'lost!');
    expect(heard).toBe('arrives');
    proxy.heal();
    await hears('arrives, later');
    client.socket.destroy();
  });

  it('does not tell of an end during a black hole before the heal', async () => {
    const client = await dial();
    await eventually('the other side', () => arrived.length === 1);
    proxy.cut({ by: 'black hole' });
    arrived[0]?.destroy();
    client.socket.write('into the dark');
    expect(client.socket.destroyed).toBe(false);
    expect(proxy.connections).toBe(1);
    proxy.heal();
    await eventually('the end', () => client.socket.destroyed && proxy.connections === 0);
  });

  it('delays everything, in order', async () => {
    const quick = await CuttableProxy.start((server.address() as AddressInfo).port);
    const witness = connect(quick.port, '127.0.0.1');
    await once(witness, 'connect');
    proxy.delay(500);
    const client = await dial();
    client.socket.write('one ');
    client.socket.write('two');
    witness.write('zero ');
    await hears('zero one two');
    for (const socket of [client.socket, witness]) socket.destroy();
    await quick.close();
  });
});
