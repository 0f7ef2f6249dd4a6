import { StringDecoder } from 'node:string_decoder';

/**
 * The lines of a byte stream in UTF-8, many at a time: one array for each chunk that ended any.
 * Line ends are LF or CRLF and are cut off; a last line without an end counts.
 */
export async function* readLines(
  source: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<string[]> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of source) {
    const text =
      typeof chunk === 'string'
        ? chunk
        : decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (lines.length > 0) yield lines.map(withoutReturn);
  }
  rest += decoder.end();
  if (rest !== '') yield [withoutReturn(rest)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
