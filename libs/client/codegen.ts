import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../services/gateway/schema.graphql',
  documents: ['src/operations/*.ts'],
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        documentMode: 'string',
        enumsAsTypes: true,
        useTypeImports: true,
        importExtension: '.js',
        strictScalars: true,
        scalars: { Time: 'number', JSON: 'unknown' },
      },
    },
  },
};

export default config;
