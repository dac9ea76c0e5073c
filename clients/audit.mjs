// Runs the public audits of GraphQL over HTTP against a running server; an audit that must hold and does not fails this.
import { auditServer } from "graphql-http";

const url = `${process.env.REGULARS_URL ?? "http://127.0.0.1:8080"}/graphql`;
const results = await auditServer({ url, fetchFn: fetch });

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const { id, name, status, reason } of results) {
  counts[status]++;
  console.log(`${status.padEnd(6)} ${id} ${name}${reason ? `: ${reason}` : ""}`);
}
console.log(`\n${results.length} audits: ${Object.entries(counts).map(([status, count]) => `${count} ${status}`).join(", ")}`);
if (counts.error > 0) process.exitCode = 1;
