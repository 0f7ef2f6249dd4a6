// Read by drizzle-kit alone, which is not installed here: `npx drizzle-kit@0.31.11 generate` in this
// folder writes the next migration from the tables. At run time only the SQL files are needed.
export default {
  dialect: 'postgresql',
  schema: ['contacts', 'agents', 'queues', 'sealed'].map((name) => `./src/projections/${name}.ts`),
  out: './migrations',
};
