// Run by scripts/load. Ten times the normal load for 30 s, then back to normal: the region refuses
// in order (503 with Retry-After) or not at all, and what it accepted is worked off soon.
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import http from 'k6/http';
import { Counter, Trend } from 'k6/metrics';

const { MERIDIAN_URL: url, MERIDIAN_KEY: key, MERIDIAN_RUN: run } = __ENV;
/** Contacts per second of the normal load; each initiates, enters a queue and hangs up. */
const contactsPerSecond = Number(__ENV.LOAD_RATE || 40);
const burstSeconds = Number(__ENV.LOAD_SECONDS || 30);
const normalSeconds = 5;
const burstFactor = 10;
const batchesPerSecond = 10;
/** How long the region may take to be less than `lagLimitSeconds` behind again. */
const recoveryLimitSeconds = 60;
const lagLimitSeconds = 1;

const recovery = new Trend('recovery_seconds');
const longestLag = new Trend('lag_at_the_end_of_the_burst_seconds');
const refused = new Counter('refused_503');

const arrivals = (factor, startSeconds, lastsSeconds) => ({
  executor: 'constant-arrival-rate',
  exec: 'contacts',
  rate: batchesPerSecond * factor,
  timeUnit: '1s',
  startTime: `${startSeconds}s`,
  duration: `${lastsSeconds}s`,
  preAllocatedVUs: 10 * factor,
  maxVUs: 20 * factor,
});
const burstEnd = normalSeconds + burstSeconds;

export const options = {
  scenarios: {
    before: arrivals(1, 0, normalSeconds),
    burst: arrivals(burstFactor, normalSeconds, burstSeconds),
    after: arrivals(1, burstEnd, normalSeconds),
    recovered: {
      executor: 'shared-iterations',
      exec: 'recovered',
      vus: 1,
      iterations: 1,
      startTime: `${burstEnd}s`,
      maxDuration: `${recoveryLimitSeconds + 10}s`,
    },
  },
  thresholds: {
    checks: ['rate==1'],
    recovery_seconds: [`max<${recoveryLimitSeconds}`],
  },
};

const send = (events) =>
  http.post(`${url}/v1/events`, JSON.stringify(events), {
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/cloudevents-batch+json',
    },
  });

export function setup() {
  const settings = {
    strategy: 'LONGEST_IDLE',
    offerTtlMs: 20000,
    ageingMsPerLevel: 60000,
    serviceLevelMs: 20000,
  };
  const answer = send([
    {
      specversion: '1.0',
      id: `${run}-queue`,
      source: '/load',
      type: 'meridian.queue.configure.v1',
      subject: 'LOAD',
      data: { settings },
    },
  ]);
  if (answer.status !== 202) {
    exec.test.abort(`The queue cannot be configured: ${answer.status} ${answer.body}`);
  }
}

const steps = [
  { what: 'initiate', data: { method: 'INBOUND', channel: 'CHAT' } },
  { what: 'enter_queue', data: { queueId: 'LOAD' } },
  { what: 'hang_up', data: { by: 'CUSTOMER' } },
];

const visit = (subject) =>
  steps.map(({ what, data }) => ({
    specversion: '1.0',
    id: `${subject}/${what}`,
    source: '/load',
    type: `meridian.contact.${what}.v1`,
    subject,
    data,
  }));

export function contacts() {
  const name = `${run}-${exec.scenario.name}-${exec.scenario.iterationInTest}`;
  const count = Math.max(1, Math.round(contactsPerSecond / batchesPerSecond));
  const answer = send(
    Array.from({ length: count }, (_, index) => visit(`${name}-${index}`)).flat(),
  );
  if (answer.status === 503) refused.add(1);
  check(answer, {
    'accepted, or refused with 503 and Retry-After': ({ status, headers }) =>
      status === 202 || (status === 503 && headers['Retry-After'] !== undefined),
  });
}

/** The largest of the region's lags in seconds; undefined when it does not say. */
function lagSeconds() {
  const { status, body } = http.get(`${url}/metrics`);
  const lags = status === 200 ? [...body.matchAll(/^meridian_lag_seconds\{[^}]*\} (\S+)$/gm)] : [];
  return lags.length === 0 ? undefined : Math.max(...lags.map(([, value]) => Number(value)));
}

export function recovered() {
  const start = Date.now();
  const elapsed = () => (Date.now() - start) / 1000;
  let lag = lagSeconds();
  if (lag !== undefined) longestLag.add(lag);
  // Several looks in a row: a gauge may be as old as one look.
  let calm = 0;
  let calmSince = 0;
  while (calm < 5 && elapsed() < recoveryLimitSeconds) {
    if (lag !== undefined && lag < lagLimitSeconds) {
      if (calm === 0) calmSince = elapsed();
      calm += 1;
    } else calm = 0;
    sleep(0.25);
    lag = lagSeconds();
  }
  recovery.add(calm < 5 ? recoveryLimitSeconds : calmSince);
  check(lag, { 'the lag is under 1 s again': () => calm === 5 });
}
