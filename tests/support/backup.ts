import type postgres from 'postgres'
import { storedTables } from '../../src/backup/tables'
import type { DatabaseConfig } from '../../src/config/database'
import type { Db } from '../../src/db/client'
import { createLog } from '../../src/log'
import { openDatabaseAlone } from '../../src/opening/open'

export const quietLog = createLog('error', () => {})

/** Everything that a backup must restore, as the database writes it, without the record of a restore. */
export async function contentOf(sql: postgres.Sql): Promise<Record<string, unknown>> {
  const content: Record<string, unknown> = {}
  for (const { name, order, hasIds } of storedTables) {
    const isTrail = name === 'audit_events'
    const where = isTrail ? "where action <> 'restore'" : ''
    content[name] = [
      ...(await sql.unsafe(
        `select row_to_json(t)::text as row from ${name} as t ${where} order by ${order}`,
      )),
    ].map(({ row }) => row)
    if (!hasIds || isTrail) continue
    const [next] = await sql.unsafe(`select last_value + is_called::int as id from ${name}_id_seq`)
    content[`next id of ${name}`] = Number(next?.id)
  }
  const [counted] = await sql`select sum(movies)::int as movies from movie_counts`
  return { ...content, counted: counted?.movies }
}

/** Runs work on a database without a server. */
export async function withDb<T>(config: DatabaseConfig, work: (db: Db) => Promise<T>): Promise<T> {
  const database = await openDatabaseAlone(config, quietLog)
  try {
    return await work(database.db)
  } finally {
    await database.close()
  }
}
