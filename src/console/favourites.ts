import { effect, signal } from '@preact/signals'
import { call, explain, isRefusal } from './api'
import { tell } from './notices'
import { session } from './session'
import { isolated } from './text'
import type { Movie, MoviePage } from './types'

/** Hearts pressed, by movie id; they win over what the API said before it had saved them. */
const wishes = signal<ReadonlyMap<number, Wish>>(new Map())
type Wish = { favourite: boolean; savedAt: number }
/** What lists said, for the pages of single movies. */
const known = new Map<number, boolean>()
const underWay = new Set<number>()
const channel = new BroadcastChannel('redlight.favourites')
channel.onmessage = ({ data }: MessageEvent<{ id: number; favourite: boolean }>) =>
  wish(data.id, data.favourite, performance.now())

export const isFavourite = ({ id, favourite }: Pick<Movie, 'id' | 'favourite'>) =>
  wishes.value.get(id)?.favourite ?? favourite ?? known.get(id) ?? false

/** Remembers what a list says, and forgets the wishes that were saved before it was asked for. */
export function note({ movies }: MoviePage, areFavourites: boolean, askedAt: number) {
  const rest = new Map(wishes.peek())
  for (const { id, favourite } of movies) {
    if (!areFavourites && favourite === undefined) continue
    known.set(id, favourite ?? true)
    if (askedAt > (rest.get(id)?.savedAt ?? Number.POSITIVE_INFINITY)) rest.delete(id)
  }
  if (rest.size < wishes.peek().size) wishes.value = rest
}

/** Without a time it is not saved yet. */
function wish(id: number, favourite: boolean, savedAt = Number.POSITIVE_INFINITY) {
  wishes.value = new Map(wishes.value).set(id, { favourite, savedAt })
}

/** Shows the change at once, and takes it back if it is refused. */
export async function toggleFavourite(movie: Pick<Movie, 'id' | 'title' | 'favourite'>) {
  const { id, title } = movie
  let held = isFavourite(movie)
  wish(id, !held)
  if (underWay.has(id)) return
  underWay.add(id)
  try {
    // If the heart was pressed again in the meantime, that is saved too: the last press wins.
    for (let wanted = !held; wanted !== held; wanted = isFavourite(movie)) {
      await save(id, wanted)
      held = wanted
    }
    tell(
      held
        ? `“${isolated(title)}” is one of your favourites now.`
        : `“${isolated(title)}” isn’t one of your favourites any more.`,
    )
    wish(id, held, performance.now())
    channel.postMessage({ id, favourite: held })
  } catch (error) {
    wish(id, held, performance.now())
    if (!isRefusal(error, 401)) tell(explain(error))
  } finally {
    underWay.delete(id)
  }
}

async function save(id: number, favourite: boolean) {
  try {
    await call(favourite ? 'PUT' : 'DELETE', `/v1/users/me/favourites/${id}`)
  } catch (error) {
    // It wasn't one any more.
    if (favourite || !isRefusal(error, 404)) throw error
  }
}

/** Only lists say which movies are favourites, so a single one is looked up in a list. */
export async function learn({ id, title, year }: Movie, signal: AbortSignal) {
  if (known.has(id) || wishes.peek().has(id) || session.peek() === undefined) return
  const query = new URLSearchParams({ favourite: 'true', year: String(year), page_size: '100', title })
  const ask = () => call<MoviePage>('GET', `/v1/movies?${query}`, { signal })
  const askedAt = performance.now()
  const { movies } = await ask().catch((error) => {
    if (!isRefusal(error, 422)) throw error
    // The title has too many words for a search.
    query.delete('title')
    return ask()
  })
  const favourite = movies.some((one) => one.id === id)
  known.set(id, favourite)
  if (!wishes.peek().has(id)) wish(id, favourite, askedAt)
}

// The next person to sign in may be another one.
effect(() => {
  if (session.value !== undefined) return
  known.clear()
  wishes.value = new Map()
})
