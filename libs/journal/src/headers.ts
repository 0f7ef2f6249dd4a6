import { InvalidMessage } from './errors.ts';
import type { MessageToAppend } from './log.ts';

export const EXPECTED_LAST_SEQUENCE = 'Nats-Expected-Last-Subject-Sequence';
export const MESSAGE_ID = 'Nats-Msg-Id';

const VERSION_LINE = 'NATS/1.0\r\n';
const NOT_A_NAME = /[^!-9;-~]/;
const NOT_A_VALUE = /[\r\n]/;
const NOT_A_SUBJECT = /[\s*>]|^\.|\.\.|\.$|^$/;

/**
 * A message's headers as NATS writes them; empty when it has none.
 * @throws InvalidMessage when a name or a value cannot be written
 */
export function headerBlock(message: MessageToAppend): string {
  const { subject, expectedLastSequence, messageId, headers } = message;
  let lines = '';
  if (expectedLastSequence !== undefined) {
    if (!Number.isSafeInteger(expectedLastSequence) || expectedLastSequence < 0) {
      throw new InvalidMessage(subject, `expectedLastSequence is ${expectedLastSequence}`);
    }
    lines = `${EXPECTED_LAST_SEQUENCE}: ${expectedLastSequence}\r\n`;
  }
  if (messageId !== undefined) lines += headerLine(subject, MESSAGE_ID, messageId);
  if (headers !== undefined) {
    for (const name of Object.keys(headers)) {
      lines += headerLine(subject, name, headers[name] ?? '');
    }
  }
  return lines === '' ? '' : `${VERSION_LINE}${lines}\r\n`;
}

function headerLine(subject: string, name: string, value: string): string {
  if (name === '' || NOT_A_NAME.test(name)) {
    throw new InvalidMessage(subject, `${JSON.stringify(name)} is no header name`);
  }
  if (NOT_A_VALUE.test(value)) {
    throw new InvalidMessage(subject, `header ${name} holds a line break`);
  }
  return `${name}: ${value}\r\n`;
}

/** @throws InvalidMessage when nothing can be published to the subject */
export function checkSubject(subject: string): void {
  if (NOT_A_SUBJECT.test(subject)) {
    throw new InvalidMessage(subject, 'its subject has wildcards, blanks or empty tokens');
  }
}
