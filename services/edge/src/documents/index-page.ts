/** The page at `/`: plain text, for people with a terminal. */
export function indexPage(region: string): string {
  return `Meridian, region ${region}

  /openapi.json             this interface (OpenAPI 3.1)
  /asyncapi.json            streams and subjects (AsyncAPI 3)
  /schemas/<type>.json      the data of each type, such as /schemas/meridian.contact.initiate.v1.json
  /health/ready  /metrics   for those who run it

A call enters:

  curl -X POST http://127.0.0.1:8080/v1/events \\
    -H "Authorization: Bearer $MERIDIAN_KEY" \\
    -H 'Content-Type: application/cloudevents+json' \\
    -d '{"specversion":"1.0","id":"e1","source":"/crm","type":"meridian.contact.initiate.v1",
         "subject":"c1","data":{"method":"INBOUND","channel":"VOICE"}}'

What is decided:

  curl -N 'http://127.0.0.1:8080/v1/stream?from=start' -H "Authorization: Bearer $MERIDIAN_KEY"
`;
}
