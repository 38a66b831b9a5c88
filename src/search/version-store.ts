import { sql } from 'drizzle-orm'
import { askedOnce, builtOnce } from '../db/batch'
import type { Db } from '../db/client'
import { catalogueVersions } from '../db/schema'

/** Of a statement's snapshot. Each commit that changes a list raises it. */
export const versionOfSnapshot = sql<string>`(select sum(${catalogueVersions.version}) from ${catalogueVersions})`

/** A total that was counted in a snapshot with the same version; else null. */
export const knownTotal = sql`select ${sql.placeholder('counted')}::bigint
  where ${sql.placeholder('countedAt')}::numeric = ${versionOfSnapshot}`

const versionStatement = builtOnce((db) =>
  db.select({ version: versionOfSnapshot }).from(sql`(select) as whole`).prepare('catalogue_version'),
)
const readVersion = askedOnce(async (db, _: 'version') => (await versionStatement(db).execute())[0]?.version)

/** The catalogue's version; while it is the same, so is every list. Asked once for all who ask in one turn. */
export const catalogueVersion = (db: Db): Promise<string | undefined> => readVersion(db, 'version')
