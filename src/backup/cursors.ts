import { type SQL, sql } from 'drizzle-orm'
import type { Db, Tx } from '../db/client'
import { UNNAMED } from '../db/driver'

const PAGE_ROWS = 1000
const CURSOR_PREFIX = 'redlight_backup_'
const FORGOTTEN_AFTER = '12 hours'

/** Declares a cursor for a query of one text column, `line`, without parameters; returns its rows in pages. */
export type Declare = (query: SQL) => Promise<() => AsyncGenerator<readonly string[]>>

/**
 * Reads queries as of one moment: `declare` what to read, then `work` reads it. On a server, a transaction
 * stays open meanwhile. The embedded database has one session, which a transaction would block for everyone:
 * there the rows are copied at once into cursors that outlive their transaction, and others get their turn
 * between pages.
 */
export async function withCursors<Declared, T>(
  db: Db,
  kind: 'postgres' | 'embedded',
  declare: (tx: Tx, declare: Declare) => Promise<Declared>,
  work: (declared: Declared) => Promise<T>,
): Promise<T> {
  const isolation = { isolationLevel: 'repeatable read', accessMode: 'read only' } as const
  const prefix = `${CURSOR_PREFIX}${crypto.randomUUID().replaceAll('-', '')}_`
  if (kind === 'postgres')
    return db.transaction(
      async (tx) => work(await declare(tx, declarer(tx, tx, prefix, 'without hold'))),
      isolation,
    )
  await closeCursors(
    db,
    sql`name like ${`${CURSOR_PREFIX}%`} and creation_time < now() - ${FORGOTTEN_AFTER}::interval`,
  )
  const declared = await db.transaction((tx) => declare(tx, declarer(tx, db, prefix, 'with hold')), isolation)
  try {
    return await work(declared)
  } finally {
    await closeCursors(db, sql`name like ${`${prefix}%`}`)
  }
}

async function closeCursors(db: Db, which: SQL) {
  for (const { name } of await db.execute<{ name: string }>(sql`select name from pg_cursors where ${which}`))
    await db.execute(sql.raw(`close ${name}`))
}

function declarer(tx: Tx, later: Db | Tx, prefix: string, hold: string): Declare {
  let declared = 0
  return async (query) => {
    const cursor = prefix + ++declared
    await tx.execute(sql`declare ${sql.raw(cursor)} no scroll cursor ${sql.raw(hold)} for ${query}`)
    const fetch = sql.raw(`${UNNAMED} fetch forward ${PAGE_ROWS} from ${cursor}`)
    return async function* pages() {
      for (;;) {
        const rows = await later.execute<{ line: string }>(fetch)
        if (rows.length === 0) return
        yield rows.map(({ line }) => line)
      }
    }
  }
}
