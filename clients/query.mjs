// Asks the README's first query through Apollo Client and through urql, as an app would, and looks at the answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { Client, fetchExchange } from "@urql/core";

const url = `${process.env.REGULARS_URL ?? "http://127.0.0.1:8080"}/graphql`;
const headers = { authorization: `Bearer ${process.env.REGULARS_TOKEN}` };
const { query, variables } = JSON.parse(readFileSync(new URL("../internal/demo/first-query.json", import.meta.url)));

const apollo = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() });
check("Apollo Client", await apollo.query({ query: gql(query), variables }));

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
