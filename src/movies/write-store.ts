import { sql } from 'drizzle-orm'
import { namesOf, sentRows, sentValues, writtenTogether } from '../db/batch'
import type { Db } from '../db/client'
import { refusal } from '../db/errors'
import { movies } from '../db/schema'
import { Failure, invalid } from '../errors'
import { type ContentColumn, contentColumns, type MovieContent, type NewMovie } from './columns'
import type { Creator, Movie } from './model'

const refusals = {
  movies_title_key: () => invalid({ title: 'a movie with this title already exists' }),
  // The account went while its token was still believed.
  movies_created_by_users_id_fk: () => new Failure('invalidAuthenticationToken'),
}

type NewRow = NewMovie & { createdBy: number }
type Inserted = { id: number; version: number }

const insertTogether = writtenTogether<NewRow, Inserted>(async (db, films) => {
  const columns = { ...contentColumns, createdBy: movies.createdBy }
  // In one order, so that two statements with the same titles don't wait for each other in turn.
  const ordered = films.toSorted((a, b) => Number(a.title > b.title) - Number(a.title < b.title))
  const returned = await db.execute<{ id: string; title: string; version: number }>(sql`
    insert into ${movies} (${namesOf(columns)})
    select ${sentValues(columns)} from ${sentRows(columns, ordered)}
    returning id, title, version`)
  const byTitle = new Map(returned.map(({ id, title, version }) => [title, { id: Number(id), version }]))
  return films.map(({ title }) => byTitle.get(title))
})

/** Throws a 422 when the title is taken. */
export async function insertMovie(db: Db, movie: NewMovie, creator: Creator): Promise<Movie> {
  try {
    const inserted = await insertTogether(db, { ...movie, createdBy: creator.id })
    if (inserted === undefined) throw new Error('the insert returned no row')
    const { id, name, username } = creator
    return { ...movie, ...inserted, createdBy: { id, name, username } }
  } catch (error) {
    throw refusal(error, 'movies', refusals)
  }
}

const isContent = (name: string): name is ContentColumn => Object.hasOwn(contentColumns, name)

type Change = Partial<MovieContent> & { id: number; version: number; createdBy: number }
type Updated = { version: number }

// Of several changes to one film in one statement PostgreSQL makes one: the place says which.
const change = {
  place: movies.version,
  id: movies.id,
  version: movies.version,
  createdBy: movies.createdBy,
}

/** Changes to films that are all about the same columns. */
const updaterOf = (changed: readonly ContentColumn[]) =>
  writtenTogether<Change, Updated>(async (db, changes) => {
    const columns = Object.fromEntries(changed.map((key) => [key, contentColumns[key]]))
    const rows = changes.map((row, place) => ({ ...row, place }))
    const isAlone = rows.length === 1
    // A film that somebody else holds is left out, so that nobody waits for it but those who change it.
    const free = sql`
      with free as materialized (
        select id from ${movies} where id = any(${`{${rows.map(({ id }) => id)}}`}::bigint[])
        for no key update skip locked
      )`
    const returned = await db.execute<{ place: number; version: number }>(sql`${isAlone ? sql`` : free}
      update ${movies} set (${namesOf(columns)}, version) = row(${sentValues(columns)}, ${movies.version} + 1)
      from ${sentRows({ ...change, ...columns }, rows)}
      where ${movies.id} = sent.id and ${movies.version} = sent.version and ${movies.createdBy} = sent."createdBy"
        ${isAlone ? sql`` : sql`and ${movies.id} in (select id from free)`}
      returning sent.place, ${movies.version}`)
    const byPlace = new Map(returned.map(({ place, version }) => [place, { version }]))
    return rows.map(({ place }) => byPlace.get(place))
  })

/** By the columns that they are about, of which there are few enough to keep them all. */
const updaters = new Map<string, ReturnType<typeof updaterOf>>()

function updaterFor(changes: Partial<MovieContent>) {
  const changed = Object.keys(changes).filter(isContent).sort()
  const updater = updaters.get(changed.join()) ?? updaterOf(changed)
  updaters.set(changed.join(), updater)
  return updater
}

/** Undefined when the movie is no longer at the version that was read, or no longer its creator's. */
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
    throw refusal(error, 'movies', refusals)
  }
}
