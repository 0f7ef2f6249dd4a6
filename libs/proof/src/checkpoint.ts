/** What a checkpoint commits to. */
export interface Checkpoint {
  /** The log that it is about; the first line, unique to it. */
  readonly origin: string;
  /** How many ranks the tree covers. */
  readonly size: number;
  /** The root of the tree over these, 32 bytes. */
  readonly root: Uint8Array;
  /** The root of the map of the heads of all aggregates among these, 32 bytes. */
  readonly headsRoot: Uint8Array;
}

const heads = 'heads ';
const sizePattern = /^(?:0|[1-9]\d{0,15})$/;

/** The text that is signed: a C2SP tlog-checkpoint, with one line beyond it, `heads <root>`. */
export function checkpointText({ origin, size, root, headsRoot }: Checkpoint): string {
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return `${origin}\n${size}\n${base64(root)}\n${heads}${base64(headsRoot)}\n`;
}

/** Reads the text of a checkpoint's note; undefined when it is none of ours. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size, root, extension, ...rest] = text.split('\n');
  if (!origin || !size || !root || !extension?.startsWith(heads)) return undefined;
  if (!sizePattern.test(size) || rest.join() !== '') return undefined;
  const checkpoint = {
    origin,
    size: Number(size),
    root: Buffer.from(root, 'base64'),
    headsRoot: Buffer.from(extension.slice(heads.length), 'base64'),
  };
  // What is not written as it would be written here is not what was signed.
  return checkpointText(checkpoint) === text ? checkpoint : undefined;
}
