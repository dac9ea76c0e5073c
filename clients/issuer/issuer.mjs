// An OpenID Connect issuer, for oidc_test.go. It prints its address, lets everybody sign in under the name they type, and
// obeys its standard input line by line: "rotate" makes a new key that signs from now on, "retire" takes the older ones out
// of what it publishes. It answers each with "done" and ends with its input.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Provider } from "oidc-provider";

const api = "https://club.example/api";
const day = 24 * 60 * 60;

// Staff have roles where Keycloak puts them; a customer has a card.
const people = {
  grace: { realm_access: { roles: ["offline_access", "support"] } },
  ada: { card: 17850 },
};

const newKey = () => ({
  ...generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" }),
  kid: randomUUID(),
  use: "sig",
  alg: "RS256",
});
let keys = [newKey()];
let answer;

const server = createServer((request, response) => answer(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}`;

function begin() {
  const provider = new Provider(address, {
    jwks: { keys },
    cookies: { keys: [randomUUID()] },
    clients: [
      {
        client_id: "club-app",
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/signed-in"],
      },
    ],
    claims: { openid: ["sub", "card", "realm_access"] },
    conformIdTokenClaims: false,
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    extraTokenClaims: (_, token) => people[token.accountId],
    ttl: { AccessToken: day, IdToken: day, Session: day, Grant: day, Interaction: day },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => api,
        getResourceServerInfo: () => ({ scope: "", audience: api, accessTokenFormat: "jwt", accessTokenTTL: day }),
        useGrantedResource: () => true,
      },
    },
  });
  answer = provider.callback();
}

begin();
console.log(address);
for await (const order of createInterface({ input: process.stdin })) {
  keys = order === "rotate" ? [newKey(), ...keys] : keys.slice(0, 1);
  begin();
  console.log("done");
}
process.exit();
