// What each room may import, types and packages included: docs/ARCHITECTURE.md, held by architecture.test.ts.

export type Allowed = { readonly rooms: readonly string[]; readonly packages?: readonly string[] }

export const topics = [
  'movies',
  'search',
  'favourites',
  'users',
  'tokens',
  'keys',
  'omdb',
  'operators',
  'audit',
  'health',
]
export const arrows: Record<string, readonly string[]> = {
  search: ['movies'],
  favourites: ['search', 'movies'],
  omdb: ['search', 'movies'],
  operators: ['users'],
}

/** Anyone may record what is done. */
const trail = ['audit/store', 'audit/events', 'audit/model types']
const always = ['errors', 'log', 'permissions', 'waiting', 'rules']
/** `config/types` allows a type of config's, `db` all of db. A file's own room is always open. */
export const rooms: Record<string, Allowed> = {
  errors: { rooms: [] },
  log: { rooms: ['visible'] },
  terminal: { rooms: ['visible'] },
  json: { rooms: ['errors', 'waiting'] },
  visible: { rooms: [] },
  permissions: { rooms: [] },
  waiting: { rooms: [] },
  later: { rooms: ['waiting'] },
  gate: { rooms: ['waiting'] },
  'file-problem': { rooms: ['errors'] },
  rules: { rooms: [], packages: ['@sinclair/typebox', 'damerau-levenshtein'] },
  config: { rooms: ['rules', 'log', 'permissions', 'connection'], packages: ['ipaddr.js'] },
  connection: { rooms: ['rules', 'config types'], packages: ['postgres types'] },
  openapi: { rooms: ['errors', 'permissions', 'rules'] },
  embedded: { rooms: ['log', 'errors'], packages: ['@electric-sql/pglite'] },
  db: {
    rooms: ['connection', 'config types', 'errors', 'log', 'waiting', 'gate', 'later', 'permissions'],
    packages: ['drizzle-orm', 'postgres'],
  },
  opening: {
    rooms: ['db', 'embedded', 'config types', 'connection', 'errors', 'file-problem', 'log', 'waiting'],
    packages: ['drizzle-orm'],
  },
  http: {
    rooms: ['openapi', 'limits', 'json', 'gate', ...always],
    packages: ['elysia', '@elysiajs/bearer', '@sinclair/typebox types', 'jsonc-parser'],
  },
  limits: {
    rooms: ['config types', 'errors', 'log', 'waiting', 'rules'],
    packages: ['ipaddr.js', 'lru-cache'],
  },
  access: {
    rooms: ['db', 'errors', 'permissions', 'waiting', 'gate', 'rules'],
    packages: [
      '@elysiajs/jwt',
      'lru-cache',
      '@scure/base',
      '@zxcvbn-ts/language-common',
      'drizzle-orm in stores',
    ],
  },
  mail: {
    rooms: ['db', 'config types', 'log', 'waiting', 'errors', 'rules'],
    packages: ['nodemailer', 'drizzle-orm in stores'],
  },
  replicas: {
    rooms: ['db', 'connection', 'config types', 'log', 'waiting', 'errors'],
    packages: ['drizzle-orm'],
  },
  catalogue: {
    rooms: ['db', ...trail, 'movies/model', 'movies/initial-movies.json'],
    packages: ['drizzle-orm in stores'],
  },
  migrations: { rooms: ['db', 'config types', 'log', 'waiting', 'errors'], packages: ['drizzle-orm'] },
  backup: {
    rooms: ['db', ...trail, 'opening', 'migrations', 'log', 'waiting', 'errors', 'file-problem'],
    packages: ['drizzle-orm', '@sinclair/typebox'],
  },
  transfer: {
    rooms: [
      'db',
      'migrations',
      'movies/columns',
      'movies/model',
      'movies/runtime',
      'rules',
      'errors',
      'log',
      'waiting',
      'visible',
      'file-problem',
      'backup/cursors',
      ...trail,
      'config types',
      'terminal types',
    ],
    packages: ['@sinclair/typebox', 'csv-parse', 'drizzle-orm in stores'],
  },
  doctor: {
    rooms: [
      'db',
      'opening',
      'catalogue/counts-store',
      'connection',
      'migrations',
      'log',
      'waiting',
      'config',
      'mail',
      'errors',
    ],
  },
  console: { rooms: [], packages: ['preact', '@preact/signals'] },
  web: {
    rooms: ['http', 'openapi', 'errors', 'console/console.pack.json', 'console/pack types'],
    packages: ['elysia', '@elysiajs/swagger', 'swagger-ui-dist'],
  },
}
export const kinds: Record<string, Allowed> = {
  model: {
    rooms: ['rules', 'db/schema types', 'permissions', 'access/passwords'],
    packages: ['@sinclair/typebox'],
  },
  store: {
    rooms: ['db', 'access/store', ...trail, 'errors', 'permissions', 'gate', 'rules types'],
    packages: ['drizzle-orm'],
  },
  service: {
    rooms: [
      ...trail,
      'access',
      'mail',
      'db/client',
      'db/schema',
      'db/errors',
      'permissions',
      'errors',
      'waiting',
      'rules',
    ],
  },
  routes: {
    rooms: [
      'http',
      'openapi',
      'limits',
      'access types',
      'db/client types',
      'opening types',
      'replicas types',
      ...always,
    ],
    packages: ['elysia'],
  },
  cache: { rooms: ['db/batch', 'db/client types'], packages: ['lru-cache'] },
  metrics: { rooms: ['http/context types', 'waiting'], packages: ['prom-client'] },
}
