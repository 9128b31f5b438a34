import { createRequire } from 'node:module';
import { defineConfig, type UserWorkspaceConfig } from 'vitest/config';
import shared from '../../vitest.shared.ts';

/**
 * Node loads `graphql` as one CommonJS module for everybody; Vite would give the sources its ES build and the libraries the
 * other one, and the two refuse each other's schemas.
 */
const graphql = createRequire(import.meta.url).resolve('graphql');

const projects = (shared.test?.projects ?? []) as UserWorkspaceConfig[];
export default defineConfig({
  ...shared,
  test: {
    ...shared.test,
    projects: projects.map((project) => ({ ...project, resolve: { ...project.resolve, alias: { graphql } } })),
  },
});
