import { sql } from 'drizzle-orm'
import { migrations } from '../migrations/migrations'
import { storedTables, tablesLeftOut } from './tables'

/** All matches of the pattern's group in the migrations, each once. */
function named(pattern: RegExp): readonly string[] {
  const statements = migrations.flatMap(({ sql }) => sql)
  return [...new Set(statements.flatMap((text) => [...text.matchAll(pattern)].map(([, name = '']) => name)))]
}

export const ownTables: readonly string[] = [...storedTables.map(({ name }) => name), ...tablesLeftOut]

/** With their arguments, since another program may have a function of the same name. */
export const ownFunctions = named(/^CREATE (?:OR REPLACE )?FUNCTION (\w+\([^)]*\))/gim)

/**
 * All names that columns and triggers of our tables can have: quoted ones, and those of handwritten
 * migrations.
 */
export const ownNames: readonly string[] = [
  ...named(/"(\w+)"/g),
  ...named(/\bADD COLUMN (?:IF NOT EXISTS )?(\w+)/gi),
  ...named(/^CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER (\w+)/gim),
]

/** For words that need no quoting. */
export const array = (words: readonly (string | number)[]) => sql`${`{${words.join()}}`}::text[]`

/** Those of our tables that exist; an older schema lacks some. */
export const presentOids = sql`
  select oid from pg_class where relnamespace = 'public'::regnamespace and relname = any(${array(ownTables)})`
