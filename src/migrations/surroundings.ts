import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { requirePostgres } from '../db/engine'
import { OperatorError } from '../errors'

type Surroundings = {
  encoding: string
  database: string
  role: string
  hasPublic: boolean
  isBegun: boolean
  hasMovies: boolean
  elsewhere: string | null
  unaccent: string | null
  hasUnaccent: boolean
  hasIcu: boolean
  mayCreate: boolean
}

/** Reports what prevents the migrations, and the fix; they would fail half-way with a different error. */
export async function requireSurroundings(db: Db | Tx): Promise<void> {
  // Queried alone, since another engine may not understand the rest.
  const [engine] = await db.execute<{ version: string }>(sql`select version()`)
  requirePostgres(engine?.version ?? '')
  const [found] = await db.execute<Surroundings>(sql`
    select current_setting('server_encoding') as encoding,
      quote_ident(current_database()) as database,
      quote_ident(current_user) as role,
      to_regnamespace('public') is not null as "hasPublic",
      to_regclass('drizzle.__drizzle_migrations') is not null as "isBegun",
      to_regclass('public.movies') is not null as "hasMovies",
      (select quote_ident(nspname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where relname = 'movies' and relkind = 'r' and relowner = current_user::regrole
        order by nspname limit 1) as elsewhere,
      (select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
        where extname = 'unaccent' and nspname <> all (current_schemas(true))) as unaccent,
      exists (select from pg_extension where extname = 'unaccent')
        or exists (select from pg_available_extensions where name = 'unaccent') as "hasUnaccent",
      exists (select from pg_collation where collname = 'und-x-icu') as "hasIcu",
      coalesce(has_schema_privilege(to_regnamespace('public'), 'create'), true)
        and (to_regnamespace('drizzle') is not null or has_database_privilege(current_database(), 'create')) as "mayCreate"`)
  if (found === undefined) throw new Error('the database returned nothing')
  const problem = problemOf(found)
  if (problem !== undefined) throw new OperatorError(problem, { isFinal: true })
}

function problemOf(found: Surroundings): string | undefined {
  const { encoding, database, role, elsewhere, unaccent } = found
  if (encoding !== 'UTF8')
    return `the encoding of the database ${database} is ${encoding}; Redlight needs UTF8: create another with CREATE DATABASE name OWNER ${role} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C', and name it in DATABASE_URL`
  if (!found.hasPublic)
    return `the database has no schema public, where Redlight keeps its tables: run CREATE SCHEMA public AUTHORIZATION ${role}`
  if (found.isBegun && !found.hasMovies && elsewhere !== null)
    return `the table movies is in the schema ${elsewhere}, where an earlier start created it; it belongs in public: run ALTER TABLE ${elsewhere}.movies SET SCHEMA public`
  if (unaccent !== null)
    return `the extension unaccent is in the schema ${unaccent}, where Redlight doesn't look: run ALTER EXTENSION unaccent SET SCHEMA public, as its owner`
  if (!found.hasUnaccent)
    return 'the extension unaccent is missing: install the contrib package of PostgreSQL (postgresql-contrib)'
  if (!found.hasIcu) return 'the database has no ICU collations: use a PostgreSQL built with ICU'
  if (!found.isBegun && !found.mayCreate)
    return `the user ${role} can't create tables in the database ${database}: run GRANT CREATE ON DATABASE ${database} TO ${role} and GRANT CREATE ON SCHEMA public TO ${role}, as its owner`
}
