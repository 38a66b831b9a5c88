import { sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'

type Surroundings = {
  role: string
  hasPublic: boolean
  isBegun: boolean
  hasMovies: boolean
  elsewhere: string | null
  unaccent: string | null
}

/** Says what is in the way of the migrations, and how to fix it; they would fail half way, and say something else. */
export async function requireSurroundings(db: Db | Tx): Promise<void> {
  const [found] = await db.execute<Surroundings>(sql`
    select quote_ident(current_user) as role,
      to_regnamespace('public') is not null as "hasPublic",
      to_regclass('drizzle.__drizzle_migrations') is not null as "isBegun",
      to_regclass('public.movies') is not null as "hasMovies",
      (select quote_ident(nspname) from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where relname = 'movies' and relkind = 'r' and relowner = current_user::regrole
        order by nspname limit 1) as elsewhere,
      (select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
        where extname = 'unaccent' and nspname <> all (current_schemas(true))) as unaccent`)
  if (found === undefined) throw new Error('the database gave no answer')
  const { role, hasPublic, isBegun, hasMovies, elsewhere, unaccent } = found
  if (!hasPublic)
    throw new Error(
      `the database has no schema public, which Redlight keeps its tables in: run CREATE SCHEMA public AUTHORIZATION ${role}`,
    )
  if (isBegun && !hasMovies && elsewhere !== null)
    throw new Error(
      `the table movies is in the schema ${elsewhere}, where an earlier start made it, and belongs into public: run ALTER TABLE ${elsewhere}.movies SET SCHEMA public`,
    )
  if (unaccent !== null)
    throw new Error(
      `the extension unaccent is in the schema ${unaccent}, where Redlight doesn't look: run ALTER EXTENSION unaccent SET SCHEMA public, as its owner`,
    )
}
