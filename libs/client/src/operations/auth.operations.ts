import { graphql } from '../gql/gql.js';

export const logInDocument = graphql(`
  mutation LogIn($email: String!, $password: String!) {
    logIn(email: $email, password: $password, cookie: false) {
      accessToken
      accessTokenExpiresAt
      refreshToken
      refreshTokenExpiresAt
      user {
        id
        email
        name
        role
        mustChangePassword
      }
    }
  }
`);

export const registerDocument = graphql(`
  mutation Register($email: String!, $password: String!, $name: String!) {
    register(email: $email, password: $password, name: $name) {
      id
      email
      name
      role
    }
  }
`);

export const changePasswordDocument = graphql(`
  mutation ChangePassword($currentPassword: String!, $newPassword: String!) {
    changePassword(currentPassword: $currentPassword, newPassword: $newPassword) {
      id
      mustChangePassword
    }
  }
`);

export const createApiKeyDocument = graphql(`
  mutation CreateApiKey($name: String!, $scopes: [String!], $expiresAt: Time) {
    createApiKey(name: $name, scopes: $scopes, expiresAt: $expiresAt) {
      key
      apiKey {
        id
        name
        prefix
      }
    }
  }
`);

export const meDocument = graphql(`
  query Me {
    me {
      id
      email
      name
      role
      mustChangePassword
    }
  }
`);
