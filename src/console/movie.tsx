import { useEffect } from 'preact/hooks'
import { isRefusal } from './api'
import { learn } from './favourites'
import { Heading } from './heading'
import { Heart } from './heart'
import { MovieActions } from './movie-actions'
import { useResource } from './resource'
import { to } from './router'
import { session, user } from './session'
import { Failed, LoadingMovie, NotFound } from './states'
import { minutes } from './text'
import { Tile } from './tile'
import { dateOf } from './times'
import type { Movie as MovieData } from './types'

export function Movie({ id }: { id: string }) {
  const { data, error, reload } = useResource<{ movie: MovieData }>(`/v1/movies/${id}`)
  const movie = data.value?.movie
  const isKnown = movie !== undefined
  useEffect(() => {
    if (!movie) return
    const controller = new AbortController()
    // If this fails, the heart is empty, but works.
    learn(movie, controller.signal).catch(() => {})
    return () => controller.abort()
  }, [isKnown, session.value?.token])
  if (isRefusal(error.value, 404)) return <NotFound what="Movie" />
  if (error.value && !movie) return <Failed title="Movie" error={error.value} retry={reload} />
  if (!movie) return <LoadingMovie />
  return (
    <article class="movie">
      <Tile movie={movie} isLarge />
      <div class="movie-text">
        <Heading title={movie.title}>
          <bdi class={[...movie.title].length > 60 ? 'long' : ''}>{movie.title}</bdi>
        </Heading>
        <Meta movie={movie} />
        {movie.synopsis && (
          <p class="synopsis" dir="auto">
            {movie.synopsis}
          </p>
        )}
        <div class="actions">
          <Heart movie={movie} isLarge />
          <MovieActions movie={movie} reload={reload} />
        </div>
        <Facts movie={movie} />
      </div>
    </article>
  )
}

const listOf = (parameters: Record<string, string>) => to(`/?${new URLSearchParams(parameters)}`)

const Meta = ({ movie: { year, runtime, genres } }: { movie: MovieData }) => (
  <p class="meta">
    <a href={listOf({ year_from: String(year), year_to: String(year) })}>{year}</a>
    {runtime !== undefined && <span>{minutes(runtime)}</span>}
    {genres.map((genre) => (
      <a key={genre} href={listOf({ genres: genre })}>
        <bdi>{genre}</bdi>
      </a>
    ))}
  </p>
)

const Facts = ({ movie }: { movie: MovieData }) => (
  <dl>
    {movie.director && (
      <>
        <dt>Director</dt>
        <dd>
          <a href={listOf({ director: movie.director })}>
            <bdi>{movie.director}</bdi>
          </a>
        </dd>
      </>
    )}
    {movie.cast && (
      <>
        <dt>Cast</dt>
        <dd>
          <ul class="cast">
            {movie.cast.map((name) => (
              <li key={name}>
                <a href={listOf({ cast: name })}>
                  <bdi>{name}</bdi>
                </a>
              </li>
            ))}
          </ul>
        </dd>
      </>
    )}
    {movie.release_date && (
      <>
        <dt>Released</dt>
        <dd>
          <time dateTime={movie.release_date}>{dateOf(movie.release_date)}</time>
        </dd>
      </>
    )}
    {movie.imdb_id && (
      <>
        <dt>IMDb id</dt>
        <dd>{movie.imdb_id}</dd>
      </>
    )}
    <dt>Added by</dt>
    <dd>
      {movie.created_by.id === user.value?.id ? (
        <a href={to('/my-movies')}>you</a>
      ) : (
        <bdi>{movie.created_by.name}</bdi>
      )}
    </dd>
  </dl>
)
