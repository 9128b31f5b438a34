/** Layers inside a project. Between projects, Nx boundaries decide (eslint.config.mjs). */
const IO = '^(node:)?(fs|net|http|https|child_process|dgram|dns|os|tls|worker_threads|cluster|timers)(/|$)';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'A cycle means that two modules are one, or that a type lives in the wrong place.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'domain-is-pure',
      severity: 'error',
      comment: 'Domain code knows no I/O, framework, broker or store: everything arrives as data.',
      from: { path: '^(services|agents)/[^/]+/src/(domain|processes)/', pathNot: '[.]spec[.]ts$' },
      to: {
        path: [
          IO,
          'node_modules/(@nestjs|@nats-io|@clickhouse|chdb|dockerode|fastify|rxjs|pino)',
          '^libs/(jetstream|clickhouse|nest-platform)/',
        ],
      },
    },
    {
      name: 'domain-imports-inward',
      severity: 'error',
      comment: 'Domain never imports the rooms around it.',
      from: { path: '^(services|agents)/([^/]+)/src/(domain|processes)/', pathNot: '[.]spec[.]ts$' },
      to: { path: '^(services|agents)/[^/]+/src/(application|adapters|projections|runtime|session|telemetry)/' },
    },
    {
      name: 'application-knows-no-adapter',
      severity: 'error',
      comment: 'Handlers talk to ports; the module wires adapters.',
      from: { path: '^services/[^/]+/src/application/', pathNot: '[.]spec[.]ts$' },
      to: { path: '^services/[^/]+/src/adapters/in/' },
    },
    {
      name: 'services-never-import-services',
      severity: 'error',
      from: { path: '^(services|agents)/([^/]+)/' },
      to: { path: '^(services|agents)/', pathNot: '^(services|agents)/$2/' },
    },
    {
      name: 'contracts-import-kernel-only',
      severity: 'error',
      from: { path: '^libs/contracts/src/', pathNot: '[.]spec[.]ts$' },
      to: { path: '^libs/', pathNot: '^libs/(contracts|kernel)/' },
    },
    {
      name: 'web-features-one-way',
      severity: 'error',
      comment: 'Shared ui and lib never import a feature or a route.',
      from: { path: '^apps/web/src/(components|lib)/' },
      to: { path: '^apps/web/src/(features|app)/' },
    },
    {
      name: 'web-features-no-routes',
      severity: 'error',
      from: { path: '^apps/web/src/features/' },
      to: { path: '^apps/web/src/app/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|[.]next)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      conditionNames: ['gantry-source', 'import', 'require', 'node', 'default'],
      exportsFields: ['exports'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
};
