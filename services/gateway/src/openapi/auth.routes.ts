import { authBodies } from '../modules/auth/auth-bodies.js';
import { listOf, objectOf, ref, type RouteDescription } from './document.js';

const tag = 'auth';
const csrf = { 'x-gantry-csrf': 'Any value; needed with the cookie unless the Origin is a known page.' };

export const authRoutes: Readonly<Record<string, RouteDescription>> = {
  'POST /api/auth/register': {
    tag,
    summary: 'Makes an account.',
    body: authBodies.register,
    responses: { 201: { description: 'The new user.', schema: ref('User') } },
  },
  'POST /api/auth/login': {
    tag,
    summary: 'Logs in. The refresh token comes as an HttpOnly cookie, or in the body with `cookie: false`.',
    body: authBodies.logIn,
    responses: { 200: { description: 'Tokens.', schema: ref('TokenPair') } },
  },
  'POST /api/auth/refresh': {
    tag,
    summary: 'A new access token for a refresh token (body or cookie), which is used up by it.',
    body: authBodies.refresh,
    bodyOptional: true,
    headers: csrf,
    responses: { 200: { description: 'Tokens.', schema: ref('TokenPair') } },
  },
  'POST /api/auth/logout': {
    tag,
    summary: 'Ends the session of a refresh token (body or cookie).',
    body: authBodies.refresh,
    bodyOptional: true,
    headers: csrf,
    responses: { 204: { description: 'Done.' } },
  },
  'GET /api/auth/profile': {
    tag,
    summary: 'Who am I.',
    responses: { 200: { description: 'The caller.', schema: ref('User') } },
  },
  'PATCH /api/auth/profile': {
    tag,
    summary: 'Changes the name.',
    body: authBodies.profile,
    responses: { 200: { description: 'The caller.', schema: ref('User') } },
  },
  'POST /api/auth/password': {
    tag,
    summary: 'Changes the password and ends all other sessions.',
    body: authBodies.password,
    responses: { 200: { description: 'The caller.', schema: ref('User') } },
  },
  'GET /api/auth/keys': {
    tag,
    summary: 'API keys of the caller.',
    responses: {
      200: { description: 'Keys, without their secrets.', schema: objectOf({ apiKeys: listOf('ApiKey') }) },
    },
  },
  'POST /api/auth/keys': {
    tag,
    summary: 'Makes an API key. The key is in this reply only.',
    body: authBodies.createKey,
    responses: {
      201: { description: 'The key.', schema: objectOf({ key: { type: 'string' }, apiKey: ref('ApiKey') }) },
    },
  },
  'DELETE /api/auth/keys/:id': {
    tag,
    summary: 'Revokes an API key.',
    responses: { 200: { description: 'The key.', schema: ref('ApiKey') } },
  },
  'GET /api/auth/sessions': {
    tag,
    summary: 'Sessions of the caller.',
    responses: { 200: { description: 'Sessions.', schema: objectOf({ sessions: listOf('Session') }) } },
  },
  'DELETE /api/auth/sessions/:id': { tag, summary: 'Ends a session.', responses: { 204: { description: 'Done.' } } },
};
