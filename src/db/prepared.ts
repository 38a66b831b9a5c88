import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Db } from './client'

/** Heads a query that comes in thousands of shapes, each planned best for its own values. */
export const MANY_SHAPES = '/* many shapes */'
export const manyShapes = sql.raw(`${MANY_SHAPES} `)

// A statement takes some 30 kB of the server for each connection: so many are far more than we have.
const MAX_STATEMENTS = 300

/**
 * The same client with named statements: a query that was planned once on a connection is only executed after that,
 * in one round trip instead of two. Drizzle asks for none unless each query is prepared by hand.
 */
export function preparing<Client extends postgres.Sql | postgres.TransactionSql>(
  client: Client,
  known = new Set<string>(),
): Client {
  const isNamed = (text: string) => {
    if (text.startsWith(MANY_SHAPES)) return false
    if (known.size < MAX_STATEMENTS) known.add(text)
    return known.has(text)
  }
  const unsafe = (...[text, parameters, options]: Parameters<postgres.Sql['unsafe']>) =>
    client.unsafe(text, parameters, { ...options, prepare: isNamed(text) })
  const begin = (work: (tx: postgres.TransactionSql) => Promise<unknown>) =>
    'begin' in client && client.begin((tx) => work(preparing(tx, known)))
  return new Proxy(client, {
    get: (target, key) => (key === 'unsafe' ? unsafe : key === 'begin' ? begin : Reflect.get(target, key)),
  })
}

/** A query that is built once for each database, for where building it would cost more than running it. */
export function builtOnce<Query>(build: (db: Db) => Query): (db: Db) => Query {
  const built = new WeakMap<Db, Query>()
  return (db) => {
    const query = built.get(db) ?? build(db)
    built.set(db, query)
    return query
  }
}
