// Compiles the fragments of relay/ against our schema with Relay's compiler, in a folder that is removed again.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSchema, printSchema } from "graphql";
import compiler from "relay-compiler";

const here = fileURLToPath(new URL(".", import.meta.url));
const schema = join(here, "../graph/schema");
const folder = mkdtempSync(join(tmpdir(), "relay-"));
try {
  cpSync(join(here, "relay"), join(folder, "relay"), { recursive: true });
  const parts = readdirSync(schema).map((file) => readFileSync(join(schema, file), "utf8"));
  // Relay wants extensions behind what they extend, so it gets the schema in one piece.
  writeFileSync(join(folder, "schema.graphql"), printSchema(buildSchema(parts.join("\n"))));
  const config = { src: "./relay", schema: "./schema.graphql", language: "javascript", noSourceControl: true };
  writeFileSync(join(folder, "relay.config.json"), JSON.stringify(config));
  execFileSync(compiler, ["--output", "quiet-with-errors"], { cwd: folder, stdio: "inherit" });

  const compiled = readdirSync(join(folder, "relay/__generated__"));
  for (const name of ["MemberStandingRefetchQuery", "MemberPointsHistoryPaginationQuery"]) {
    assert.ok(compiled.includes(`${name}.graphql.js`), `${name} was not compiled`);
  }
  console.log(`ok     Relay: ${compiled.join(", ")}`);
} finally {
  rmSync(folder, { recursive: true });
}
