import { isFavourite, toggleFavourite } from './favourites'
import { navigate, pathname, url } from './router'
import { session } from './session'
import type { Movie } from './types'

type Props = { movie: Pick<Movie, 'id' | 'title' | 'favourite'>; isLarge?: boolean }

export function Heart({ movie, isLarge = false }: Props) {
  const isPressed = isFavourite(movie)
  const press = () => {
    if (session.value) toggleFavourite(movie)
    else navigate(`/sign-in?next=${encodeURIComponent(pathname() + url.value.search)}`)
  }
  return (
    <button
      type="button"
      class="heart"
      aria-pressed={isPressed}
      aria-label={isLarge ? 'Favourite' : `Favourite ${movie.title}`}
      onClick={press}
    >
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
        <path d="M12 20.5 4.6 13a4.9 4.9 0 0 1 0-7 4.9 4.9 0 0 1 7 0l.4.5.4-.5a4.9 4.9 0 0 1 7 0 4.9 4.9 0 0 1 0 7z" />
      </svg>
      {isLarge && <span aria-hidden="true">Favourite</span>}
    </button>
  )
}
