// Run by scripts/load. Publishers at a steady rate, in batches of 100 and one by one: everything is
// accepted, under its own id, and what is sent twice is known again.
import { check } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';

const { MERIDIAN_URL: url, MERIDIAN_KEY: key, MERIDIAN_RUN: run } = __ENV;
const seconds = Number(__ENV.LOAD_SECONDS || 20);
const batchesPerSecond = Number(__ENV.LOAD_RATE || 10);
const singlesPerSecond = batchesPerSecond * 5;
const batchSize = 100;
/** Every so many single events are sent a second time. */
const repeatEvery = 20;

const arrivals = (name, rate) => ({
  executor: 'constant-arrival-rate',
  exec: name,
  rate,
  timeUnit: '1s',
  duration: `${seconds}s`,
  preAllocatedVUs: 10,
  maxVUs: 50,
});

export const options = {
  scenarios: {
    batches: arrivals('batches', batchesPerSecond),
    singles: arrivals('singles', singlesPerSecond),
  },
  thresholds: {
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
    'http_req_duration{scenario:batches}': ['p(99)<1000'],
    'http_req_duration{scenario:singles}': ['p(99)<1000'],
  },
  discardResponseBodies: false,
};

const event = (index) => {
  const name = `${run}-${exec.scenario.name}-${exec.scenario.iterationInTest}-${index}`;
  return {
    specversion: '1.0',
    id: name,
    source: '/load',
    type: 'meridian.contact.initiate.v1',
    subject: name,
    data: {
      method: 'INBOUND',
      channel: 'CHAT',
      customer: 'customer@example.com',
      attributes: { language: 'en' },
    },
  };
};

const send = (value, form) =>
  http.post(`${url}/v1/events`, JSON.stringify(value), {
    headers: { authorization: `Bearer ${key}`, 'content-type': `application/${form}+json` },
  });

const acceptedOf = (answer) => (answer.status === 202 ? answer.json('accepted') : []);

export function batches() {
  const answer = send(
    Array.from({ length: batchSize }, (_, index) => event(index)),
    'cloudevents-batch',
  );
  const accepted = acceptedOf(answer);
  check(answer, {
    'a batch is accepted (202)': ({ status }) => status === 202,
    'a batch is accepted whole': () => accepted.length === batchSize,
    'a new event is no duplicate': () => accepted.every(({ duplicate }) => !duplicate),
  });
}

export function singles() {
  const one = event(0);
  const answer = send(one, 'cloudevents');
  check(answer, { 'an event is accepted (202)': ({ status }) => status === 202 });
  if (exec.scenario.iterationInTest % repeatEvery !== 0) return;
  const [first] = acceptedOf(answer);
  const [again] = acceptedOf(send(one, 'cloudevents'));
  check(again, {
    'what is sent twice is a duplicate of the first': (found) =>
      found !== undefined &&
      first !== undefined &&
      found.duplicate &&
      found.sequence === first.sequence,
  });
}
