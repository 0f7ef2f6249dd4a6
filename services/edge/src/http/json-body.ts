import { parseMediaType } from '../domain/media.ts';
import { Refusal, shown } from '../domain/problem.ts';
import { readJson } from '../publish/read-json.ts';
import type { Call } from './route.ts';

/** The JSON body of an administrative request. @throws Refusal 415 or 400 */
export function jsonBody({ request, body }: Pick<Call, 'request' | 'body'>): unknown {
  const { 'content-type': contentType = '', 'content-encoding': encoding } = request.headers;
  if (
    parseMediaType(contentType).type !== 'application/json' ||
    (encoding !== undefined && encoding !== 'identity')
  ) {
    throw new Refusal(
      'unsupported-media-type',
      `Send application/json, not ${shown(contentType)}.`,
    );
  }
  return readJson(body);
}
