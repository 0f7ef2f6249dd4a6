import {
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  KurrentDBClient,
  streamNameFilter,
} from '@kurrent/kurrentdb-client';
import { describeClient, type Client, type Driver } from './describe-client.ts';

describeClient({
  name: '@kurrent/kurrentdb-client',
  scheme: 'kurrentdb',
  connect: (address) => KurrentDBClient.connectionString(address) as unknown as Client,
  jsonEvent: jsonEvent as Driver['jsonEvent'],
  binaryEvent: binaryEvent as Driver['binaryEvent'],
  streamNameFilter: streamNameFilter as Driver['streamNameFilter'],
  eventTypeFilter: eventTypeFilter as Driver['eventTypeFilter'],
  expecting: (streamState) => ({ streamState }),
  filtersReads: true,
});
