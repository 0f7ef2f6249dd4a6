import {
  binaryEvent,
  EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  streamNameFilter,
} from '@eventstore/db-client';
import { describeClient, type Client, type Driver } from './describe-client.ts';

describeClient({
  name: '@eventstore/db-client',
  scheme: 'esdb',
  connect: (address) => EventStoreDBClient.connectionString(address) as unknown as Client,
  jsonEvent: jsonEvent as Driver['jsonEvent'],
  binaryEvent: binaryEvent as Driver['binaryEvent'],
  streamNameFilter: streamNameFilter as Driver['streamNameFilter'],
  eventTypeFilter: eventTypeFilter as Driver['eventTypeFilter'],
  expecting: (expectedRevision) => ({ expectedRevision }),
  filtersReads: false,
});
