import { sql } from 'drizzle-orm'
import type { Db } from '../db/client'

// An index on a big table is built while others write, which takes a statement outside any transaction. An
// interrupted build leaves an invalid index, which slows writes and serves no reads, so it is rebuilt. A
// check added NOT VALID is validated here too: in the transaction that added it, everybody would wait for the
// scan.

const CONCURRENTLY = /^(\s*create\s+(?:unique\s+)?index\s+)concurrently\s+if\s+not\s+exists\s+("?)(\w+)\2\s/i
const VALIDATION = /^\s*alter\s+table\s+"?\w+"?\s+validate\s+constraint\s+"?\w+"?;?\s*$/i

type Statements = { readonly sql: readonly string[] }

/**
 * Whether a migration runs while others write; each of its statements must be repeatable, as they aren't
 * atomic.
 */
export function isConcurrent({ sql: statements }: Statements): boolean {
  if (!statements.some((statement) => /\bconcurrently\b/i.test(statement))) return false
  if (statements.every((statement) => CONCURRENTLY.test(statement) || VALIDATION.test(statement))) return true
  throw new Error(
    'a migration with CONCURRENTLY may only hold CREATE INDEX CONCURRENTLY IF NOT EXISTS and VALIDATE CONSTRAINT, one a statement',
  )
}

/** Plain index creation, for when nobody else can write. */
export const withoutConcurrently = (statement: string) =>
  statement.replace(CONCURRENTLY, '$1if not exists $2$3$2 ')

export async function buildIndexes(db: Db, { sql: statements }: Statements, record: () => Promise<void>) {
  await withoutTimeouts(db, async () => {
    for (const statement of statements) {
      const name = CONCURRENTLY.exec(statement)?.[3]
      if (name !== undefined) await dropIfInvalid(db, name)
      await db.execute(sql.raw(statement))
    }
    await record()
  })
}

/** For statements that wait for all earlier transactions, and block nobody meanwhile. */
export async function withoutTimeouts(db: Db, work: () => PromiseLike<unknown>): Promise<void> {
  await db.execute(sql`set lock_timeout = 0`)
  await db.execute(sql`set statement_timeout = 0`)
  try {
    await work()
  } finally {
    await db.execute(sql`reset lock_timeout`)
    await db.execute(sql`reset statement_timeout`)
  }
}

async function dropIfInvalid(db: Db, name: string) {
  const [left] = await db.execute(
    sql`select 1 from pg_index where indexrelid = to_regclass(${name}) and not indisvalid`,
  )
  if (left !== undefined) await db.execute(sql`drop index concurrently ${sql.identifier(name)}`)
}
