import { useEffect } from 'preact/hooks'
import { isRefusal, sentence } from './api'
import { note } from './favourites'
import { Filters, Years } from './filters'
import { Heading } from './heading'
import { Heart } from './heart'
import { apiPath, isFiltered, type Own, SORTS } from './list-query'
import { Pages } from './pages'
import { useResource } from './resource'
import { navigate, pathname, to, url, withQuery } from './router'
import { can, session } from './session'
import { Empty, Failed } from './states'
import { countOf, isolated } from './text'
import { Tile } from './tile'
import type { Movie, MoviePage } from './types'

export function List({ own, title }: { own: Own; title: string }) {
  const path = apiPath(own)
  const { data, answered, error, isLoading, reload } = useResource<MoviePage>(path)
  const page = data.value
  // Without a connection, an earlier answer is better than none.
  const problem = isRefusal(error.value, 0) && answered.value === path ? undefined : error.value
  // Nothing to filter in an empty list of one's own.
  const hasFilters = own === 'all' || isFiltered() || page === undefined || page.metadata.total_records > 0
  useEffect(() => {
    if (page) note(page, own === 'favourites')
  }, [page])
  return (
    <>
      <div class="head">
        <Heading title={title} />
        <p class="count" role="status">
          {problem ? '' : summary(page, answered.value)}
        </p>
        {isFiltered() && <ClearFilters isQuiet />}
        {hasFilters && <Years />}
        {hasFilters && <Sort />}
      </div>
      {hasFilters && <Filters own={own} />}
      {problem ? (
        <Refused error={problem} retry={reload} />
      ) : page === undefined ? (
        <Skeleton />
      ) : page.movies.length === 0 ? (
        <Nothing own={own} last={page.metadata.total_records > 0 ? page.metadata.last_page : undefined} />
      ) : (
        <>
          <Movies movies={page.movies} title={title} isBusy={isLoading.value} />
          <Pages metadata={page.metadata} />
        </>
      )}
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

const clear = () => navigate(pathname(), { inPlace: true })
const ClearFilters = ({ isQuiet = false }) => (
  <button type="button" class={isQuiet ? 'text' : ''} onClick={clear}>
    Clear filters
  </button>
)

const LABELS: Record<string, string> = { q: 'search', year_from: 'from year', year_to: 'to year' }

/** An address typed by hand may have parameters that no list takes. */
function Refused({ error, retry }: { error: unknown; retry: () => void }) {
  if (!isRefusal(error, 422) || typeof error.problem === 'string')
    return <Failed error={error} retry={retry} />
  const reasons = Object.entries(error.problem).map(([name, text]) =>
    sentence(`${LABELS[name] ?? name}: ${text}`),
  )
  return (
    <Empty text={`There is no such list. ${reasons.join(' ')}`}>
      <ClearFilters />
    </Empty>
  )
}

function Nothing({ own, last }: { own: Own; last: number | undefined }) {
  if (last !== undefined)
    return (
      <Empty text="This page is past the end.">
        <a class="button" href={to(withQuery({ page: String(last) }))}>
          Last page
        </a>
      </Empty>
    )
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
