import { type SQL, sql } from 'drizzle-orm'
import { listed, namesOf, sentRows, sentValues } from '../db/batch'
import type { Db, Tx } from '../db/client'
import { movies } from '../db/schema'
import { contentColumns, type NewMovie } from '../movies/columns'
import type { Keyed } from './decide'
import { type Candidate, suffixed } from './judge'
import type { Shelved } from './shelf'

export type Catalogue = {
  /** The candidates with their keys, and the movies that they may be about. */
  find(candidates: readonly Candidate[]): Promise<{ keyed: Map<Candidate, Keyed>; found: Shelved[] }>
  /** Writes the movies in one statement; `alsoWrite` joins its transaction. Throws ChangedMeanwhile. */
  write(movies: readonly Shelved[], alsoWrite: (tx: Tx) => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** A movie was changed or removed since it was found, so nothing was written. */
export class ChangedMeanwhile extends Error {
  override readonly name = 'ChangedMeanwhile'
}

export const openCatalogue = (db: Db): Catalogue => ({
  find: (candidates) => find(db, sql`${movies}`, candidates),
  write: (written, alsoWrite) =>
    db.transaction(async (tx) => {
      await write(tx, written)
      await alsoWrite(tx)
    }),
  close: async () => {},
})

const names = Object.keys(contentColumns).map((name) => sql`${sql.identifier(name)}`)
const stored = listed([sql`id`, ...names, sql`created_by`, sql`version`])

type Stored = NewMovie & { id: number; created_by: number; version: number; key: string }
type Answer = { place: number; key: string; suffixedKey: string | null; found: Stored[] | null }

async function find(db: Db, from: SQL, candidates: readonly Candidate[]) {
  const sent = candidates.map(({ movie }, place) => ({
    place,
    title: movie.title,
    suffixed: suffixed(movie),
    imdb_id: movie.imdb_id,
    external_id: movie.external_id,
  }))
  const where = (condition: SQL) =>
    sql`select ${stored}, title_key(title) as key from ${from} where ${condition}`
  const answers = await db.execute<Answer>(sql`
    with sent as materialized (
      select place, title_key(title) as key, title_key(suffixed) as suffixed_key, imdb_id, external_id
      from json_to_recordset(${JSON.stringify(sent)}::json)
        as sent (place integer, title text, suffixed text, imdb_id text, external_id text)
    )
    select place, key, suffixed_key as "suffixedKey", (
      select json_agg(found) from (
        ${where(sql`title_key(title) in (sent.key, sent.suffixed_key)`)}
        union all ${where(sql`imdb_id = sent.imdb_id`)}
        union all ${where(sql`external_id = sent.external_id`)}
      ) as found) as found
    from sent`)
  const keyed = new Map<Candidate, Keyed>()
  for (const { place, key, suffixedKey } of answers) {
    const candidate = candidates[place]
    if (candidate !== undefined)
      keyed.set(candidate, { ...candidate, key, suffixedKey: suffixedKey ?? undefined })
  }
  return { keyed, found: answers.flatMap(({ found }) => (found ?? []).map(toShelved)) }
}

const toShelved = ({ id, created_by: ownerId, version, key, ...content }: Stored): Shelved => ({
  id,
  key,
  content,
  ownerId,
  storedVersion: version,
  version,
})

const written = { ...contentColumns, version: movies.version }
const inserted = { ...written, createdBy: movies.createdBy }
const updated = { id: movies.id, storedVersion: movies.version, ...written }
const sentForm = ({ content, id, ownerId, version, storedVersion }: Shelved) => ({
  ...content,
  id,
  createdBy: ownerId,
  version,
  storedVersion,
})

async function write(tx: Tx, all: readonly Shelved[]) {
  const { added = [], changed = [] } = Object.groupBy(all, ({ id }) =>
    id === undefined ? 'added' : 'changed',
  )
  const [counts] = await tx.execute<{ added: number; changed: number }>(sql`
    with added as (
      insert into ${movies} (${namesOf(inserted)})
      select ${sentValues(inserted)} from ${sentRows(inserted, JSON.stringify(added.map(sentForm)))} returning 1
    ), changed as (
      update ${movies} set (${namesOf(written)}) = row(${sentValues(written)})
      from ${sentRows(updated, JSON.stringify(changed.map(sentForm)))}
      where ${movies.id} = sent.id and ${movies.version} = sent."storedVersion" returning 1
    )
    select (select count(*)::int from added) as added, (select count(*)::int from changed) as changed`)
  if (counts?.added !== added.length || counts.changed !== changed.length) throw new ChangedMeanwhile()
}

/** Writes into a temporary table instead, and finds as if the movies there were in the catalogue. */
export async function openRehearsal(db: Db): Promise<Catalogue> {
  const name = `redlight_import_${crypto.randomUUID().replaceAll('-', '')}`
  const table = sql.raw(`pg_temp.${name}`)
  await db.execute(
    sql`create temporary table ${sql.raw(name)} as select ${stored} from ${movies} with no data`,
  )
  await db.execute(sql`create index on ${table} (title_key(title))`)
  for (const column of ['id', 'imdb_id', 'external_id'])
    await db.execute(sql`create index on ${table} (${sql.identifier(column)})`)
  const both = sql`(
    select ${stored} from ${movies} where not exists (select from ${table} as mine where mine.id = ${movies.id})
    union all select ${stored} from ${table}) as movies`
  const columns = { id: movies.id, ...inserted }
  let added = 0
  return {
    find: (candidates) => find(db, both, candidates),
    async write(all) {
      const rows = all.map((movie) => ({ ...sentForm(movie), id: movie.id ?? --added }))
      await db.execute(sql`delete from ${table} where id = any(${`{${rows.map(({ id }) => id)}}`}::bigint[])`)
      await db.execute(sql`
        insert into ${table} (${namesOf(columns)}) select ${sentValues(columns)} from ${sentRows(columns, JSON.stringify(rows))}`)
    },
    async close() {
      // Fails if the database is gone, and the session and its table with it.
      await db.execute(sql`drop table ${table}`).catch(() => {})
    },
  }
}
