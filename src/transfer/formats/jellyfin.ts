import type { Format, Reading } from './format'
import { entries, member } from './json-values'

const TICKS_A_MINUTE = 600_000_000

const runtime: Reading = (ticks) => ({
  runtime: typeof ticks === 'number' ? Math.round(ticks / TICKS_A_MINUTE) : ticks,
})
const imdbId: Reading = (ids) => ({ imdb_id: member(ids, 'Imdb') })

// Besides series, Jellyfin has collections, folders, people and music.
const MOVIES = ['Movie', 'Video', 'MusicVideo']
const kind: Reading = (type) => ({ kind: MOVIES.includes(String(type)) ? 'movie' : 'show' })

const people: Reading = (value) => ({
  director: namesOf(value, ['Director']),
  cast: namesOf(value, ['Actor', 'GuestStar']),
})
function namesOf(people: unknown, types: readonly unknown[]): unknown[] | undefined {
  const names = entries(people).filter((each) => types.includes(member(each, 'Type')))
  return names.length === 0 ? undefined : names.map((each) => member(each, 'Name'))
}

/** An answer of Jellyfin's or Emby's /Items. */
export const jellyfin: Format = {
  name: 'jellyfin',
  shape: 'json',
  isKnownBy: (names) =>
    ['runtimeticks', 'providerids', 'productionyear'].some((name) => names.includes(name)),
  columns: {
    name: 'title',
    type: kind,
    productionyear: 'year',
    premieredate: 'release_date',
    overview: 'synopsis',
    runtimeticks: runtime,
    providerids: imdbId,
    people,
  },
}
