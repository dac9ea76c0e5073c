"use strict";

const welcome = `# Sign in: where the server runs, print a token with
#   regulars token --role ADMIN
# (from the source: go run . token --role ADMIN),
# then enter in the tab Headers below
#   {"Authorization": "Bearer <the token>"}

{
  viewer {
    roles
  }
}
`;

ReactDOM.createRoot(document.getElementById("graphiql")).render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: "/graphql" }),
    defaultQuery: welcome,
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
  }),
);
