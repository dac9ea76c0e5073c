// What an app made with Relay would ask of a member: where it stands, asked for again at will, and its points page by page.
import { graphql } from "react-relay";

export const standing = graphql`
  fragment Member_standing on Member @refetchable(queryName: "MemberStandingRefetchQuery") {
    displayName
    points {
      available
    }
    standing {
      tier {
        name
      }
    }
  }
`;

export const pointsHistory = graphql`
  fragment Member_pointsHistory on Member
  @argumentDefinitions(count: { type: "Int", defaultValue: 20 }, cursor: { type: "String" })
  @refetchable(queryName: "MemberPointsHistoryPaginationQuery") {
    pointsHistory(first: $count, after: $cursor) @connection(key: "Member_pointsHistory") {
      edges {
        node {
          title
          points
          occurredAt
        }
      }
    }
  }
`;

export const member = graphql`
  query MemberQuery {
    viewer {
      member {
        ...Member_standing
        ...Member_pointsHistory
      }
    }
  }
`;
