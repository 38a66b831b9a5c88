import type postgres from 'postgres'
import { type Call, NEW_NUMBER } from './drive'
import { createRandom, type Random } from './random'
import { COLLECTORS, emailOf, keyOf, PASSWORD, USERS, userOf } from './users'

/** The number of movies, and some of them. */
export type Sample = {
  rows: number
  movies: readonly { id: number; title: string; word: string; genre: string }[]
  /** What people look for with `q`. */
  titles: readonly string[]
  directors: readonly string[]
}
export type Calls = (sample: Sample) => Call[]

const SAMPLE_SIZE = 3000
const SEED = 1979
/** The first movies aren't used, because one row deletes some of them. */
const KEPT_MOVIES = 100
/** Shorter words are mostly "the", "of" and "in", which nobody searches for. */
const MIN_WORD_LENGTH = 4

export async function sampleMovies(sql: postgres.Sql, rows: number): Promise<Sample> {
  const random = createRandom(SEED)
  const ids = new Set<number>()
  while (ids.size < Math.min(SAMPLE_SIZE, rows - KEPT_MOVIES)) ids.add(random.integer(KEPT_MOVIES + 1, rows))
  const found = await sql<{ id: string; title: string; genres: string[] }[]>`
    select id, title, genres from movies where id = any(${[...ids]}) order by hashint8(id)`
  const movies = found.flatMap(({ id, title, genres }) => {
    const words = title.split(' ').filter((word) => word.length >= MIN_WORD_LENGTH)
    return words.length === 0
      ? []
      : [{ id: Number(id), title, word: random.pick(words), genre: random.pick(genres) }]
  })
  const directors = await sql<{ director: string }[]>`
    select director from movies where director is not null group by director order by hashtext(director) limit ${SAMPLE_SIZE}`
  return {
    rows,
    movies,
    titles: found.map(({ title }) => title),
    directors: directors.map(({ director }) => director),
  }
}

/** By position in a list, so that all users take turns. */
const reader = (place: number) => place % USERS
const byEachUser = (path: string): Call[] =>
  Array.from({ length: USERS }, (_, user) => ({ method: 'GET', path, user }))

export const healthcheck: Calls = () => [{ method: 'GET', path: '/v1/healthcheck' }]

export const oneMovie: Calls = ({ movies }) =>
  movies.map(({ id }, place) => ({ method: 'GET', path: `/v1/movies/${id}`, user: reader(place) }))

export const oneMovieWithKey: Calls = ({ movies }) =>
  movies.map(({ id }, place) => ({ method: 'GET', path: `/v1/movies/${id}`, user: keyOf(reader(place)) }))

const OMDB_TITLES = 1000

export const omdbTitle: Calls = ({ movies }) =>
  movies.slice(0, OMDB_TITLES).map(({ title }, place) => ({
    method: 'GET',
    path: `/omdb?${new URLSearchParams({ t: title })}`,
    user: keyOf(reader(place)),
  }))

export const omdbSearch: Calls = ({ movies }) =>
  movies.map(({ word }, place) => ({
    method: 'GET',
    path: `/omdb?${new URLSearchParams({ s: word })}`,
    user: keyOf(reader(place)),
  }))

export const titleSearch: Calls = ({ movies }) =>
  movies.map(({ word }, place) => ({
    method: 'GET',
    path: `/v1/movies?${new URLSearchParams({ title: word })}`,
    user: reader(place),
  }))

export const firstPage: Calls = () => byEachUser('/v1/movies')

export const sortedBy =
  (sort: string): Calls =>
  () =>
    byEachUser(`/v1/movies?sort=${sort}`)

export const search: Calls = ({ movies }) =>
  movies.map(({ word, genre }, place) => {
    const query = new URLSearchParams({ title: word, genres: genre, sort: '-year' })
    return { method: 'GET', path: `/v1/movies?${query}`, user: reader(place) }
  })

const VARIED = 3000
const VARIED_PAGES = 50
const HOT = 128
const listKeys = ['id', 'title', 'year', 'runtime', 'release_date']

/** One of the first pages, in any order and of any size, no two alike, more than a cache holds. */
export const varied: Calls = () => {
  const random = createRandom(SEED)
  return Array.from({ length: VARIED }, (_, place) => {
    const size = random.integer(1, 100)
    const sort = `${random.pick(['', '-'])}${random.pick(listKeys)}`
    const query = `sort=${sort}&page=${random.integer(1, VARIED_PAGES)}&page_size=${size}`
    return { method: 'GET', path: `/v1/movies?${query}`, user: reader(place) }
  })
}

/** The same few lists again and again: first pages in every order, and searches. */
export const hot: Calls = (sample) => {
  const sorts = listKeys.flatMap((key) => [key, `-${key}`])
  const first = sorts.map((sort, place) => ({
    method: 'GET' as const,
    path: `/v1/movies?sort=${sort}`,
    user: reader(place),
  }))
  return [...first, ...search(sample)].slice(0, HOT)
}

const keyboard = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm']
function neighbourOf(letter: string): string {
  const row = keyboard.find((keys) => keys.includes(letter)) ?? letter
  const at = row.indexOf(letter)
  return row[at + 1] ?? row[at - 1] ?? letter
}
type Typist = (title: string, random: Random) => string
const at = (title: string, random: Random) => random.integer(0, title.length - 1)
const typists: Readonly<Record<string, Typist>> = {
  whole: (title) => title,
  beginning: (title, random) => title.slice(0, random.integer(2, Math.max(2, title.length - 1))),
  swapped(title, random) {
    const place = at(title, random)
    return `${title.slice(0, place)}${title.charAt(place + 1)}${title.charAt(place)}${title.slice(place + 2)}`
  },
  dropped(title, random) {
    const place = at(title, random)
    return title.slice(0, place) + title.slice(place + 1)
  },
  doubled(title, random) {
    const place = at(title, random)
    return title.slice(0, place + 1) + title.slice(place)
  },
  neighbouring(title, random) {
    const place = at(title, random)
    return title.slice(0, place) + neighbourOf(title.charAt(place)) + title.slice(place + 1)
  },
  words(title, random) {
    const words = title.split(' ')
    return `${random.pick(words)} ${random.pick(words)}`
  },
}
/** Out of a hundred. The others are directors. */
const shares = {
  whole: 15,
  beginning: 25,
  swapped: 10,
  dropped: 10,
  doubled: 10,
  neighbouring: 10,
  words: 10,
}

/**
 * What people type, each text once: titles, beginnings, mistakes, directors. Each director is as likely as any other:
 * the most famous ones of our movies directed thousands.
 */
export function typedTexts({ titles, directors }: Sample): string[] {
  const random = createRandom(SEED)
  const kinds = Object.entries(shares).flatMap(([kind, share]) =>
    Array.from({ length: share }, () => typists[kind]),
  )
  const texts = titles.map((title, place) => {
    const typist = kinds[random.integer(0, 99)]
    return typist === undefined ? (directors[place] ?? title) : typist(title.toLowerCase(), random)
  })
  return [...new Set(texts.filter((text) => text.trim() !== ''))]
}

export const typed: Calls = (sample) =>
  typedTexts(sample).map((q, place) => ({
    method: 'GET',
    path: `/v1/movies?${new URLSearchParams({ q })}`,
    user: reader(place),
  }))

export const genres: Calls = () => byEachUser('/v1/genres')

/** By a client whose copy is current. */
export const unchangedMovie: Calls = (sample) =>
  oneMovie(sample).map((call) => ({ ...call, headers: { 'If-None-Match': '*' } }))

/** Pages of 20 around 80 % of all movies. */
export const deepPage: Calls = ({ rows }) => {
  const middle = Math.floor((rows * 0.8) / 20)
  const spread = Math.floor(middle / 100)
  const random = createRandom(SEED)
  return Array.from({ length: 200 }, (_, place) => ({
    method: 'GET',
    path: `/v1/movies?page=${random.integer(middle - spread, middle + spread)}`,
    user: reader(place),
  }))
}

export const favourites: Calls = () =>
  Array.from({ length: COLLECTORS }, (_, user) => ({ method: 'GET', path: '/v1/users/me/favourites', user }))

export const newMovie: Calls = ({ movies }) =>
  movies.map(({ word, genre }, place) => ({
    method: 'POST',
    path: '/v1/movies',
    user: reader(place),
    body: {
      title: `${word} ${NEW_NUMBER}`,
      year: 2001,
      runtime: '107 mins',
      genres: [genre, 'benchmark'],
      director: 'Agnès Varda',
      cast: ['Toshiro Mifune', 'Greta Garbo', 'Peter Lorre'],
      release_date: '2001-02-03',
      synopsis: 'A movie that was made to see how long that takes, and that nobody will ever watch.',
    },
  }))

export const changedMovie: Calls = ({ movies }) =>
  movies.map(({ id }, place) => ({
    method: 'PATCH',
    path: `/v1/movies/${id}`,
    user: userOf(id),
    body: { runtime: `${60 + (place % 100)} mins` },
  }))

export const signInWith =
  (password: string): Calls =>
  () =>
    Array.from({ length: USERS }, (_, user) => ({
      method: 'POST',
      path: '/v1/tokens/authentication',
      body: { email: emailOf(user), password },
    }))

export const newFavourite: Calls = ({ movies }) =>
  movies.map(({ id }, place) => ({
    method: 'PUT',
    path: `/v1/users/me/favourites/${id}`,
    user: reader(place),
  }))

/** The mix of a busy service, by weight: 80 % reads, 15 % writes, 5 % sign-ins. */
export const mixed: Calls = (sample) => {
  const weighted: [Calls, number][] = [
    [oneMovie, 40],
    [firstPage, 20],
    [search, 15],
    [favourites, 5],
    [newMovie, 5],
    [changedMovie, 5],
    [newFavourite, 5],
    [signInWith(PASSWORD), 5],
  ]
  const turns = Array.from({ length: 30 })
  const kinds = weighted.map(([calls, weight]) => ({ calls: calls(sample), weight }))
  const random = createRandom(SEED)
  const all = turns.flatMap((_, turn) =>
    kinds.flatMap(({ calls, weight }) =>
      Array.from({ length: weight }, (_, place) => calls[(turn * weight + place) % calls.length]),
    ),
  )
  return all
    .filter((call) => call !== undefined)
    .map((call) => ({ call, at: random.integer(0, 2 ** 30) }))
    .sort((a, b) => a.at - b.at)
    .map(({ call }) => call)
}
