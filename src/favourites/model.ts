import { type Movie, movieJson } from '../movies/model'
import { timestampJson } from '../timestamp'

/** A film on its user's list, as the API shows it there. */
export const favouriteJson = (movie: Movie, addedAt: string | null) => ({
  ...movieJson(movie),
  favourited_at: timestampJson(new Date(addedAt ?? 0)),
})
