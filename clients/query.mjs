// Asks the README's first query through Apollo Client and through urql, as an app would, and looks at the answers.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange } from "@urql/core";

const url = `${process.env.REGULARS_URL ?? "http://127.0.0.1:8080"}/graphql`;
const headers = { authorization: `Bearer ${process.env.REGULARS_TOKEN}` };
const { query, variables } = JSON.parse(readFileSync(new URL("../internal/demo/first-query.json", import.meta.url)));

const apollo = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() });
check("Apollo Client", await apollo.query({ query: gql(query), variables }));

// By its hash: the first time the server does not know it and is sent the text, from then on the hash is enough.
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const bodies = [];
const persisted = new ApolloClient({
  link: new PersistedQueryLink({ sha256 }).concat(
    new HttpLink({ uri: url, headers, fetch: (to, request) => (bodies.push(JSON.parse(request.body)), fetch(to, request)) }),
  ),
  cache: new InMemoryCache(),
});
for (const _ of [1, 2]) {
  check("Apollo Client, persisted", await persisted.query({ query: gql(query), variables, fetchPolicy: "network-only" }));
}
assert.deepEqual(bodies.map((body) => "query" in body), [false, true, false]);

const urql = new Client({ url, preferGetMethod: false, fetchOptions: { headers }, exchanges: [fetchExchange] });
check("urql", await urql.query(query, variables));

function check(client, { data, error }) {
  assert.equal(error, undefined, `${client}: ${error}`);
  const { displayName, points, standing, pointsHistory } = data.viewer.member;
  assert.equal(displayName, "Robin Redbreast");
  assert.ok(Number.isSafeInteger(points.available));
  assert.equal(typeof standing.tier.name, "string");
  assert.equal(pointsHistory.nodes.length, variables.last);
  for (const entry of pointsHistory.nodes) assert.ok(entry.title && Number.isSafeInteger(entry.points) && Date.parse(entry.occurredAt));
  console.log(`ok     ${client}: ${displayName}, ${standing.tier.name}, ${points.available} points, ${pointsHistory.nodes.length} entries`);
}
