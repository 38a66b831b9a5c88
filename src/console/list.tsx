import { useEffect } from 'preact/hooks'
import { isRefusal } from './api'
import { note } from './favourites'
import { Filters, Years } from './filters'
import { Heading } from './heading'
import { Heart } from './heart'
import { apiPath, isFiltered, NO_FILTERS, OTHER_SORTS, type Own, SORTS } from './list-query'
import { Listed } from './listed'
import { useResource } from './resource'
import { navigate, pathname, to, url, withQuery } from './router'
import { can, session } from './session'
import { Empty } from './states'
import { countOf, isolated } from './text'
import { Tile } from './tile'
import type { Movie, MoviePage } from './types'

export function List({ own, title }: { own: Own; title: string }) {
  const path = apiPath(own)
  const { data, answered, askedAt, error, isLoading, reload } = useResource<MoviePage>(path)
  const page = data.value
  // Without a connection, an earlier answer is better than none.
  const problem = isRefusal(error.value, 0) && answered.value === path ? undefined : error.value
  // Nothing to filter in an empty list of one's own.
  const hasFilters = own === 'all' || isFiltered() || page === undefined || page.metadata.total_records > 0
  // Kept free meanwhile, so that nothing moves once it is known.
  const mayHaveFilters = own !== 'all' && !isFiltered() && page === undefined
  useEffect(() => {
    if (page) note(page, own === 'favourites', askedAt.value)
  }, [page])
  return (
    <>
      <div class={`head ${mayHaveFilters ? 'waiting' : ''}`}>
        <Heading title={title} />
        <p class="count" role="status">
          {problem ? '' : summary(page, answered.value)}
        </p>
        {isFiltered() && <ClearFilters isQuiet />}
        {hasFilters && <Years />}
        {hasFilters && <Sort />}
      </div>
      {hasFilters && <Filters own={own} />}
      {page === undefined && !problem && <Skeleton />}
      <Listed error={problem} retry={reload} metadata={page?.metadata}>
        {page?.movies.length === 0 && <Nothing own={own} />}
        {page && page.movies.length > 0 && (
          <Movies movies={page.movies} title={title} isBusy={isLoading.value} />
        )}
      </Listed>
    </>
  )
}

/** Describes the list that is shown, even while another is loading. */
function summary(page: MoviePage | undefined, answered = ''): string {
  if (page === undefined) return 'Loading movies'
  const q = new URLSearchParams(answered.split('?')[1]).get('q')
  return countOf(page.metadata.total_records) + (q ? ` for “${isolated(q)}”` : '')
}

function Sort() {
  const sort = url.value.searchParams.get('sort') ?? ''
  return (
    <label class="sort">
      <span>Sort by</span>
      <select
        value={sort}
        onChange={({ currentTarget }) =>
          navigate(withQuery({ sort: currentTarget.value, page: undefined }), { inPlace: true })
        }
      >
        <option value="">Standard</option>
        {Object.entries(SORTS).map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
        {sort !== '' && !Object.hasOwn(SORTS, sort) && (
          <option value={sort}>{OTHER_SORTS[sort] ?? sort}</option>
        )}
      </select>
    </label>
  )
}

const Movies = ({ movies, title, isBusy }: { movies: readonly Movie[]; title: string; isBusy: boolean }) => (
  <ul class="grid" aria-label={title} aria-busy={isBusy}>
    {movies.map((movie) => (
      <li key={movie.id}>
        <a href={to(`/movies/${movie.id}`)}>
          <Tile movie={movie} />
        </a>
        <Heart
          movie={
            movie.favourite === undefined ? { ...movie, favourite: pathname() === '/favourites' } : movie
          }
        />
      </li>
    ))}
  </ul>
)

const Skeleton = () => (
  <ul class="grid" aria-hidden="true">
    {Array.from({ length: 14 }, (_, index) => (
      <li key={index} class="skeleton" />
    ))}
  </ul>
)

const clear = () => navigate(withQuery(NO_FILTERS), { inPlace: true })
const ClearFilters = ({ isQuiet = false }) => (
  <button type="button" class={isQuiet ? 'text' : ''} onClick={clear}>
    Clear filters
  </button>
)

function Nothing({ own }: { own: Own }) {
  if (isFiltered())
    return (
      <Empty text="No movie matches.">
        <ClearFilters />
      </Empty>
    )
  if (own === 'favourites')
    return (
      <Empty text="No favourites yet. Press the heart on a movie to keep it here.">
        <a class="button" href={to('/')}>
          Browse movies
        </a>
      </Empty>
    )
  return (
    <Empty text={own === 'mine' ? 'You haven’t added a movie yet.' : 'There are no movies yet.'}>
      {session.value && can('movies:write') && (
        <a class="button" href={to('/movies/new')}>
          Add a movie
        </a>
      )}
    </Empty>
  )
}
