import { useSignal } from '@preact/signals'
import { explain } from '../api'
import { Heading } from '../heading'
import { Listed } from '../listed'
import { RemoveMovie, takeOver } from '../movie-actions'
import { tell } from '../notices'
import { useResource } from '../resource'
import { to, url } from '../router'
import { user } from '../session'
import { Empty } from '../states'
import { countOf } from '../text'
import type { Movie, MoviePage } from '../types'
import { QueryField, Table } from './parts'

function path() {
  const query = new URLSearchParams({ page_size: '50', sort: '-id' })
  const { searchParams } = url.value
  const q = searchParams.get('q')
  // The best match comes first.
  if (q) {
    query.set('q', q)
    query.delete('sort')
  }
  if (searchParams.get('page')) query.set('page', searchParams.get('page') ?? '')
  return `/v1/movies?${query}`
}

export function AllMovies() {
  const { data, error, isLoading, reload } = useResource<MoviePage>(path())
  const page = data.value
  return (
    <>
      <div class="head">
        <Heading title="All movies" />
        <p class="count" role="status">
          {page && countOf(page.metadata.total_records)}
        </p>
        <QueryField name="q" label="Search all movies" />
      </div>
      <Listed error={error.value} retry={reload} metadata={page?.metadata}>
        {page && <MovieTable movies={page.movies} isBusy={isLoading.value} reload={reload} />}
      </Listed>
    </>
  )
}

type Props = { movies: readonly Movie[]; isBusy: boolean; reload: () => void }

function MovieTable({ movies, isBusy, reload }: Props) {
  const asked = useSignal<Movie | undefined>(undefined)
  if (movies.length === 0) return <Empty text="No movie matches." />
  return (
    <>
      <Table label="All movies" columns={['Movie', 'Year', 'Added by', '']} isBusy={isBusy}>
        {movies.map((movie) => (
          <tr key={movie.id}>
            <th scope="row">
              <a href={to(`/movies/${movie.id}`)}>
                <bdi>{movie.title}</bdi>
              </a>
            </th>
            <td>{movie.year}</td>
            <td class="text">
              <bdi>{movie.created_by.id === user.value?.id ? 'you' : movie.created_by.name}</bdi>
            </td>
            <td class="row-actions">
              {movie.created_by.id !== user.value?.id && (
                <button
                  type="button"
                  class="quiet small"
                  aria-label={`Take over ${movie.title}`}
                  onClick={() => takeOver(movie).then(reload, (problem) => tell(explain(problem)))}
                >
                  Take over
                </button>
              )}
              <button
                type="button"
                class="quiet small"
                aria-label={`Remove ${movie.title}`}
                onClick={() => {
                  asked.value = movie
                }}
              >
                Remove
              </button>
            </td>
          </tr>
        ))}
      </Table>
      {asked.value && (
        <RemoveMovie
          movie={asked.value}
          done={reload}
          onClose={() => {
            asked.value = undefined
          }}
        />
      )}
    </>
  )
}
