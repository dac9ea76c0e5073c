// Lints the schema by what the field recommends for any schema and for the clients of Relay.
import graphql from "@graphql-eslint/eslint-plugin";

const recommended = graphql.configs["flat/schema-recommended"];
const relay = graphql.configs["flat/schema-relay"];

export default [
  {
    files: ["**/*.graphqls"],
    plugins: { "@graphql-eslint": graphql },
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: "graph/schema/*.graphqls" } },
    },
    rules: {
      ...recommended.rules,
      ...relay.rules,
      // A description of one line stands inline and a longer one as a block; the rule knows only one of the two.
      "@graphql-eslint/description-style": "off",
      // What has an identity implements Node. Amounts, payloads, pages and errors are values and have none.
      "@graphql-eslint/strict-id-in-types": "off",
      // Lists are read forward only: newest first or oldest first, as each says.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      // Short lists that belong to one object, such as the benefits of a tier, are plain lists, and connections have `nodes`.
      "@graphql-eslint/relay-edge-types": [
        "error",
        { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false },
      ],
    },
  },
];
