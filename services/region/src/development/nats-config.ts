/** Who may connect to the region's NATS. */
export interface NatsUser {
  readonly user: string;
  readonly password: string;
}

export interface NatsConfigOptions {
  readonly region: string;
  readonly port: number;
  readonly monitorPort: number;
  readonly storeDir: string;
  readonly secrets: { readonly service: string; readonly publisher: string };
}

/**
 * The configuration of a region's nats-server in development: one server, loopback, JetStream
 * under the region's own domain. The services' user may do everything; the publisher of the
 * tenant `demo` may publish requests of that tenant and read nothing but answers to itself.
 */
export function natsConfig({
  region,
  port,
  monitorPort,
  storeDir,
  secrets,
}: NatsConfigOptions): string {
  return `server_name: ${region}-1
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitorPort}"
ping_interval: "2s"
ping_max: 2
write_deadline: "5s"
max_payload: 1MB
jetstream {
  store_dir: ${JSON.stringify(storeDir)}
  domain: ${region}
  max_memory_store: 128MB
  max_file_store: 64GB
}
authorization {
  users: [
    { user: meridian, password: ${JSON.stringify(secrets.service)} }
    {
      user: publisher-demo
      password: ${JSON.stringify(secrets.publisher)}
      permissions: {
        publish: { allow: ["in.${region}.demo.>", "publish.${region}.demo"] }
        subscribe: { allow: ["_INBOX_demo.>"] }
      }
    }
  ]
}
`;
}
