import { is, Placeholder, type SQL, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { type Columns, listed, namesOf, sentRows, sentValues, writtenTogether } from '../db/batch'
import type { Db } from '../db/client'
import { movies } from '../db/schema'
import { type ContentColumn, contentColumns, type MovieContent, type NewMovie } from './columns'
import type { Creator, Movie } from './model'
import { explainRefusal } from './taken-store'

type NewRow = NewMovie & { createdBy: number }
type Inserted = { id: number; version: number }

/** A statement whose text is built once, with values for its placeholders. */
function withText(statement: SQL): (values: Readonly<Record<string, unknown>>) => SQL {
  const { sql: text, params } = new PgDialect().sqlToQuery(statement)
  const [first = '', ...others] = text.split(/\$\d+/).map((part) => sql.raw(part))
  return (values) =>
    sql.join([
      first,
      ...others.flatMap((part, place) => {
        const parameter = params[place]
        return [sql`${is(parameter, Placeholder) ? values[parameter.name] : parameter}`, part]
      }),
    ])
}

const insertColumns = { ...contentColumns, createdBy: movies.createdBy }
const sent = sql.placeholder('sent')
// RETURNING gives only stored columns, so the ids are drawn before the insert.
const insertStatement = withText(sql`
    with numbered as materialized (
      select nextval('movies_id_seq') as new_id, sent.* from ${sentRows({ index: movies.version, ...insertColumns }, sent)}
    ), inserted as (
      insert into ${movies} (id, ${namesOf(insertColumns)}) overriding system value
      select new_id, ${sentValues(insertColumns)} from numbered as sent
      returning id, version
    )
    select index, id, version from numbered join inserted on id = new_id`)

const insertTogether = writtenTogether<NewRow, Inserted>(async (db, added) => {
  const rows = added.map((movie, index) => ({ ...movie, index }))
  // Sorted, so that two statements with the same titles can't deadlock.
  rows.sort((a, b) => Number(a.title > b.title) - Number(a.title < b.title))
  const returned = await db.execute<{ index: number; id: string; version: number }>(
    insertStatement({ sent: JSON.stringify(rows) }),
  )
  const byIndex = new Map(returned.map(({ index, id, version }) => [index, { id: Number(id), version }]))
  return added.map((_, index) => byIndex.get(index))
})

/** Throws a 422 when another movie has the title, IMDb id or external id. */
export async function insertMovie(db: Db, movie: NewMovie, creator: Creator): Promise<Movie> {
  try {
    const inserted = await insertTogether(db, { ...movie, createdBy: creator.id })
    if (inserted === undefined) throw new Error('the insert returned no row')
    const { id, name, username } = creator
    return { ...movie, ...inserted, createdBy: { id, name, username } }
  } catch (error) {
    throw await explainRefusal(db, error, movie)
  }
}

const isContent = (name: string): name is ContentColumn => Object.hasOwn(contentColumns, name)

type Change = Partial<NewMovie> & { id: number; version: number; createdBy: number }
type Updated = { version: number }

// If a statement changes a movie several times, PostgreSQL applies one of them; the index says which.
const change = {
  index: movies.version,
  id: movies.id,
  version: movies.version,
  createdBy: movies.createdBy,
}

type Condition = (columns: Columns) => SQL
const isAtVersion: Condition = () => sql`${movies.version} = sent.version`
const isAnother: Condition = (columns) =>
  sql`row(${listed(Object.values(columns).map((column) => sql`${column}`))}) is distinct from row(${sentValues(columns)})`

/** Changes columns of one movie, or of those of several that are free. */
function updateStatement(columns: Columns, condition: Condition, isAlone: boolean) {
  // A locked movie is left out, so that only its own writers wait.
  const free = sql`
      with free as materialized (
        select id from ${movies} where id = any(${sql.placeholder('ids')}::bigint[])
        for no key update skip locked
      )`
  return withText(sql`${isAlone ? sql`` : free}
      update ${movies} set (${namesOf(columns)}, version) = row(${sentValues(columns)}, ${movies.version} + 1)
      from ${sentRows({ ...change, ...columns }, sent)}
      where ${movies.id} = sent.id and ${condition(columns)} and ${movies.createdBy} = sent."createdBy"
        ${isAlone ? sql`` : sql`and ${movies.id} in (select id from free)`}
      returning sent.index, ${movies.version}`)
}

/** Changes the same columns of several movies, where the condition holds. */
function updaterOf(changed: readonly ContentColumn[], condition: Condition) {
  const columns = Object.fromEntries(changed.map((key) => [key, contentColumns[key]]))
  const alone = updateStatement(columns, condition, true)
  const several = updateStatement(columns, condition, false)
  return writtenTogether<Change, Updated>(async (db, changes) => {
    const rows = changes.map((row, index) => ({ ...row, index }))
    const statement = rows.length === 1 ? alone : several
    const returned = await db.execute<{ index: number; version: number }>(
      statement({ ids: `{${rows.map(({ id }) => id)}}`, sent: JSON.stringify(rows) }),
    )
    const byIndex = new Map(returned.map(({ index, version }) => [index, { version }]))
    return rows.map(({ index }) => byIndex.get(index))
  })
}

/** Keyed by the changed columns; few enough combinations to keep them all. */
const updaters = new Map<string, ReturnType<typeof updaterOf>>()

function updaterFor(changes: Partial<MovieContent>) {
  const changed = Object.keys(changes).filter(isContent).sort()
  const updater = updaters.get(changed.join()) ?? updaterOf(changed, isAtVersion)
  updaters.set(changed.join(), updater)
  return updater
}

/** Undefined when the movie's version or creator has changed, or the movie is gone. */
export async function updateMovie(
  db: Db,
  movie: Movie,
  changes: Partial<MovieContent>,
): Promise<Movie | undefined> {
  try {
    const { id, version, createdBy } = movie
    const updated = await updaterFor(changes)(db, { ...changes, id, version, createdBy: createdBy.id })
    return updated && { ...movie, ...changes, ...updated }
  } catch (error) {
    throw await explainRefusal(db, error, { ...movie, ...changes })
  }
}

const allContent = Object.keys(contentColumns).filter(isContent)
const replaceVersion = updaterOf(allContent, isAtVersion)
const replaceOther = updaterOf(allContent, isAnother)

/**
 * Replaces a movie's content, at any version unless only this one is meant. Undefined when it has
 * another version, already has this content, is gone, or is another creator's.
 */
export async function replaceMovie(
  db: Db,
  { id, version, createdBy }: Movie,
  content: NewMovie,
  { onlyThisVersion }: { onlyThisVersion: boolean },
): Promise<Movie | undefined> {
  const replace = onlyThisVersion ? replaceVersion : replaceOther
  try {
    const updated = await replace(db, { ...content, id, version, createdBy: createdBy.id })
    return updated && { ...content, ...updated, id, createdBy }
  } catch (error) {
    throw await explainRefusal(db, error, content)
  }
}
