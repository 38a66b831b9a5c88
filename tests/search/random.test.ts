import { beforeAll, describe, expect, test } from 'bun:test'
import { withFaults } from '../support/faults'
import { listService } from '../support/lists'
import { foundByQ } from '../support/reference-q'

const { server, alice, bob, list } = listService()

const MOVIES = 2400
const QUERIES = withFaults ? 1000 : 100

describe(`of ${MOVIES} random movies`, () => {
  type Movie = {
    id: number
    title: string
    year: number
    runtime: number | null
    genres: string[]
    director: string | null
    cast: string[] | null
    release_date: string | null
    imdb_id: string | null
    external_id: string | null
    isFavourite: boolean
    created_by: number
    /** Its position among all, sorted by title. */
    place: number
  }
  const SEED = 20261121
  let state = SEED
  /** mulberry32 */
  const random = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (max: number) => Math.floor(random() * max)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)] as T
  const maybe = <T>(chance: number, make: () => T): T | undefined => (random() < chance ? make() : undefined)
  const several = <T>(count: number, make: () => T) => Array.from({ length: count }, make)

  const words = 'Café LUNA señor Über straße Łódź ærø Ночь river Night the of 東京 1984'.split(' ')
  const genres = ['Drama', 'comedy', 'Science Fiction', 'ÉPOPÉE', 'crime', 'noir']
  const phrase = (count: number) =>
    several(count, () => pick(words)).join(pick([' ', ', ', ' – ', '! ', ' & ']))
  const day = () =>
    `${1990 + below(8)}-${String(1 + below(12)).padStart(2, '0')}-${String(1 + below(28)).padStart(2, '0')}`
  const special: Record<string, string> = { ß: 'ss', ł: 'l', æ: 'ae', ø: 'o' }
  const fold = (text: string) =>
    text
      .normalize('NFD')
      .replaceAll(/\p{M}/gu, '')
      .toLowerCase()
      .replaceAll(/[ßłæø]/g, (letter) => special[letter] ?? '')
  const known = new Map<string, string[]>()
  const wordsOf = (text: string) => {
    const words =
      known.get(text) ?? fold(text).match(/\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}])+/gu) ?? []
    known.set(text, words)
    return words
  }

  let movies: Movie[]
  let knownWords: Set<string>
  beforeAll(async () => {
    await server().sql`truncate movies restart identity cascade`
    const { sql } = server()
    // Their ids span several of the blocks that far pages start from.
    await sql`alter table movies alter column id set increment by 397`
    const drawn = several(MOVIES, () => {
      const release_date = maybe(0.7, day) ?? null
      return {
        title: `${phrase(1 + below(3))} ${below(1e9)}`,
        year: release_date === null ? 1990 + below(8) : Number(release_date.slice(0, 4)),
        runtime: maybe(0.9, () => 80 + below(20)) ?? null,
        genres: [...new Set(several(1 + below(3), () => pick(genres)))],
        director: maybe(0.6, () => phrase(2)) ?? null,
        cast: maybe(0.6, () => [...new Set(several(below(4), () => phrase(2)))]) ?? null,
        release_date,
        created_by: pick([1, alice().id, bob().id]),
        imdb_id: maybe(0.3, () => `tt${String(below(8e7)).padStart(7, '0')}`) ?? null,
        external_id: maybe(0.3, () => String(below(1e9))) ?? null,
      }
    })
    for (let i = 0; i < MOVIES; i += 200) await sql`insert into movies ${sql(drawn.slice(i, i + 200))}`
    const inserted = await sql<
      { id: string; title: string }[]
    >`select id, title from movies order by title collate "und-x-icu"`
    const byTitle = new Map(drawn.map((movie) => [movie.title, movie]))
    movies = inserted.map(({ id, title }, place) => ({
      ...(byTitle.get(title) as Movie),
      id: Number(id),
      place,
      isFavourite: place % 7 === 0,
    }))
    knownWords = new Set(
      (await sql<{ word: string }[]>`select word from known_words`).map(({ word }) => word),
    )
    const ids = movies.filter(({ isFavourite }) => isFavourite).map(({ id }) => id)
    await sql`insert into favourites (user_id, movie_id) select ${alice().id}, unnest(${ids}::bigint[])`
  })

  const disguise = (text: string) =>
    pick([text, fold(text), text.toUpperCase(), text.normalize('NFD'), text.toLowerCase()])
  const queryText = () =>
    pick([
      () => disguise(pick(words)),
      () => disguise(`${pick(words)} ${pick(words)}`),
      () => pick(['?!', ' ', '&|']),
    ])()
  /** As somebody might type: a part of a title or some words, now and then with a mistake. */
  const typed = () => {
    const text = pick([
      () => pick(movies).title,
      () => pick(movies).title.replace(/\d+$/, ''),
      () => `${pick(words)} ${pick(words)} ${pick(words)}`,
      () => `${pick(words)} and ${pick(words)}`,
      () => pick(words) + pick(words),
      queryText,
    ])()
    const at = below(text.length)
    return pick([
      () => text,
      () => text.slice(0, at + 1),
      () => text.slice(0, at) + text.slice(at + 1),
      () => text.slice(0, at) + pick([...'aeinrst ']) + text.slice(at),
      () => text.slice(0, at) + [...text.slice(at, at + 2)].reverse().join('') + text.slice(at + 2),
    ])()
  }
  const sorts = ['id', 'title', 'year', 'runtime', 'release_date']
  type Query = Partial<Record<string, string>>
  const drawQuery = (): Query => ({
    q: maybe(0.5, () => disguise(typed())),
    title: maybe(0.3, queryText),
    genres: maybe(0.3, () =>
      several(1 + below(2), () => disguise(pick([...genres, ...genres, 'western']))).join(pick([',', ' , '])),
    ),
    director: maybe(0.15, queryText),
    cast: maybe(0.15, queryText),
    genres_any: maybe(0.15, () =>
      several(1 + below(3), () => disguise(pick([...genres, 'western']))).join(','),
    ),
    year: maybe(0.1, () => String(1990 + below(9))),
    year_from: maybe(0.1, () => String(1989 + below(9))),
    year_to: maybe(0.1, () => String(1990 + below(9))),
    runtime_from: maybe(0.1, () => String(75 + below(20))),
    runtime_to: maybe(0.1, () => String(85 + below(20))),
    imdb_id: maybe(0.03, () => pick(movies).imdb_id ?? 'tt0000000'),
    external_id: maybe(0.03, () => pick(movies).external_id ?? 'none'),
    favourite: maybe(0.15, () => pick(['true', 'false'])),
    include: maybe(0.3, () => 'favourite'),
    release_date: maybe(0.05, () => pick(movies).release_date ?? day()),
    release_date_from: maybe(0.15, day),
    release_date_to: maybe(0.15, day),
    created_by: maybe(0.2, () => pick(['me', '1', String(bob().id), '999'])),
    page: maybe(0.5, () => String(1 + below(pick([4, 100, MOVIES])))),
    page_size: maybe(0.7, () => String(1 + below(100))),
    sort: maybe(0.6, () => pick(['', '-']) + pick(sorts)),
  })

  const holds = (text: string | null, asked = '') => {
    const words = wordsOf(text ?? '')
    return wordsOf(asked).every((word) => words.includes(word))
  }
  const genreKey = (genre: string) => genre.normalize('NFC').trim().toLowerCase()

  /** The result of a query according to the contract, movie by movie. */
  function reference(query: Query) {
    const q = wordsOf((query.q ?? '').replaceAll('&', ' and ')).length > 0 ? query.q : undefined
    const {
      sort = q === undefined ? 'id' : 'relevance',
      page = '1',
      page_size = '20',
      created_by,
      favourite,
    } = query
    const asked = query.genres?.split(',').map(genreKey) ?? []
    const anyOf = query.genres_any?.split(',').map(genreKey)
    const { year_from = '0', year_to = '9999', runtime_from, runtime_to } = query
    const filtered = movies.filter(
      (movie) =>
        holds(movie.title, query.title) &&
        holds(movie.director, query.director) &&
        holds(movie.cast?.join('\n') ?? null, query.cast) &&
        asked.every((genre) => movie.genres.map(genreKey).includes(genre)) &&
        (anyOf === undefined || movie.genres.map(genreKey).some((genre) => anyOf.includes(genre))) &&
        (query.year === undefined || movie.year === Number(query.year)) &&
        movie.year >= Number(year_from) &&
        movie.year <= Number(year_to) &&
        (runtime_from === undefined || (movie.runtime ?? Number.NaN) >= Number(runtime_from)) &&
        (runtime_to === undefined || (movie.runtime ?? Number.NaN) <= Number(runtime_to)) &&
        (query.imdb_id === undefined || movie.imdb_id === query.imdb_id) &&
        (query.external_id === undefined || movie.external_id === query.external_id) &&
        (favourite === undefined || movie.isFavourite === (favourite === 'true')) &&
        (query.release_date === undefined || movie.release_date === query.release_date) &&
        (query.release_date_from === undefined || (movie.release_date ?? '') >= query.release_date_from) &&
        (query.release_date_to === undefined || (movie.release_date ?? '9') <= query.release_date_to) &&
        (created_by === undefined ||
          movie.created_by === (created_by === 'me' ? alice().id : Number(created_by))),
    )
    const found = q === undefined ? filtered : foundByQ(q, filtered, knownWords, wordsOf)
    const key = sort.replace('-', '')
    const sign = sort.startsWith('-') ? -1 : 1
    const ranks: Record<string, (movie: Movie) => number> = {
      id: ({ id }) => id,
      title: ({ place }) => place,
      year: ({ year }) => year,
      runtime: ({ runtime }) => runtime ?? Number.NaN,
      release_date: ({ release_date }) => Date.parse(release_date ?? ''),
    }
    const rankOf = ranks[key] ?? (() => 0)
    if (sort !== 'relevance')
      found.sort((a, b) => {
        const [left, right] = [rankOf(a), rankOf(b)]
        if (Number.isNaN(left) || Number.isNaN(right))
          return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || a.id - b.id
        return sign * (left - right) || a.id - b.id
      })
    const [current, size] = [Number(page), Number(page_size)]
    const shown = found.slice((current - 1) * size, current * size)
    return {
      ids: shown.map(({ id }) => id),
      favourites: shown.map((movie) => (query.include === undefined ? undefined : movie.isFavourite)),
      metadata: {
        current_page: current,
        page_size: size,
        first_page: 1,
        last_page: Math.max(1, Math.ceil(found.length / size)),
        total_records: found.length,
      },
    }
  }

  test(`${QUERIES} random queries find what the reference finds (seed ${SEED})`, async () => {
    let hits = 0
    for (let i = 0; i < QUERIES; i++) {
      const query = drawQuery()
      const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
      const { body } = await list(`?${new URLSearchParams(given)}`)
      const favourites = body.movies?.map(({ favourite }) => favourite)
      const found = {
        ids: body.movies?.map(({ id }) => id),
        favourites,
        metadata: body.metadata,
        error: body.error,
      }
      expect({ query, ...found }).toEqual({ query, ...reference(query), error: undefined as never })
      if (given.length > 2 && body.metadata.total_records > 0) hits++
    }
    expect(hits).toBeGreaterThan(QUERIES / 5)
  }, 300_000)

  test('titles are in the order of the language-neutral collation', () => {
    const { compare } = new Intl.Collator('und')
    expect(movies.map(({ title }) => title)).toEqual(movies.map(({ title }) => title).sort(compare))
  })
})
