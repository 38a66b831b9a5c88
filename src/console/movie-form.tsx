import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { call, isRefusal } from './api'
import { Conflict } from './conflict'
import { restoreDraft } from './drafts'
import { Problem } from './field'
import { useForm } from './form'
import { textBefore, textOf } from './form-text'
import { Heading } from './heading'
import { changesOf, differing, draftOf, type Edited, type FieldName, tileOf } from './movie-draft'
import { MovieFields } from './movie-fields'
import { tell } from './notices'
import { useResource } from './resource'
import { guard, navigate, to } from './router'
import { can, user } from './session'
import { Empty, Failed, Loading, NotAllowed, NotFound } from './states'
import { isolated } from './text'
import { Tile } from './tile'
import type { Movie } from './types'
import { WaitForUser } from './who'

export function AddMovie() {
  if (user.value === undefined) return <WaitForUser title="Add a movie" what="the form" />
  return can('movies:write') ? <MovieForm /> : <NotAllowed title="Add a movie" />
}

export function EditMovie({ id }: { id: string }) {
  const { data, error, reload } = useResource<{ movie: Movie }>(`/v1/movies/${id}`, { isFresh: true })
  const movie = data.value?.movie
  if (isRefusal(error.value, 404)) return <NotFound what="Movie" />
  if (error.value && !movie) return <Failed title="Edit a movie" error={error.value} retry={reload} />
  if (movie === undefined) return <Loading title="Edit a movie" what="the movie" />
  if (user.value === undefined) return <WaitForUser title="Edit a movie" what="the movie" />
  if (movie.created_by.id === user.value.id) return <MovieForm movie={movie} />
  return (
    <>
      <Heading title={`Edit “${isolated(movie.title)}”`} />
      <Empty text="Only the person who added this movie can change it.">
        <a class="button" href={to(`/movies/${id}`)}>
          Back to the movie
        </a>
      </Empty>
    </>
  )
}

/** The form keeps the movie that it was filled from, even if it is read again. */
function MovieForm({ movie: given }: { movie?: Movie }) {
  const movie = useRef(given).current
  const { theirs, duplicate, version, save } = useSaving(movie)
  const { ref, form, problems, problem, submit } = useForm((_, form) => save(form))
  const { preview, show } = usePreview(ref, movie)
  const onInput = useGuard(ref, version, show)
  const title = movie ? `Edit “${isolated(movie.title)}”` : 'Add a movie'
  const problemAt = (name: FieldName) => {
    const text = problems[name]
    // The API has it as text, "107 mins"; the field asks for minutes.
    if (name === 'runtime') return text?.replace('a string like "107 mins"', 'a whole number')
    return duplicate.value && text?.includes('already exists') ? (
      <>
        {text}: <a href={to(duplicate.value)}>open it</a>
      </>
    ) : (
      text
    )
  }
  return (
    <div class="editing">
      <div>
        <Heading title={title} />
        <form {...form} onInput={onInput}>
          <Problem>{problem}</Problem>
          <MovieFields movie={movie} problemAt={problemAt} />
          <div class="actions">
            <button type="submit">{movie ? 'Save changes' : 'Add movie'}</button>
            <a href={to(movie ? `/movies/${movie.id}` : '/')}>Cancel</a>
          </div>
        </form>
      </div>
      <Tile movie={preview.value} isLarge />
      {theirs.value && movie && ref.current && (
        <Conflict
          edited={editedIn(ref.current, movie)}
          theirs={theirs.value}
          saveMine={() => {
            version.current = theirs.value?.version
            theirs.value = undefined
            submit()
          }}
          keepTheirs={() => leave(movie.id, ref.current)}
          onClose={() => {
            theirs.value = undefined
          }}
        />
      )}
    </div>
  )
}

/** The tile that the movie will have. */
function usePreview(ref: Ref<HTMLFormElement | null>, movie: Movie | undefined) {
  const preview = useSignal(tileOf(undefined, movie))
  return {
    preview,
    show: () => {
      if (ref.current) preview.value = tileOf(draftOf(textOf(ref.current)), movie)
    },
  }
}

const editedIn = (form: HTMLFormElement, read: Movie): Edited => ({
  read,
  before: draftOf(textBefore(form)),
  mine: draftOf(textOf(form)),
})

/** Goes to the movie's page without asking, unless the form was left already. */
function leave(id: number, form: HTMLFormElement | null) {
  if (!form?.isConnected) return
  guard.isDirty = undefined
  navigate(`/movies/${id}`)
}

function useSaving(movie: Movie | undefined) {
  /** What somebody else has saved in the meantime. */
  const theirs = useSignal<Movie | undefined>(undefined)
  /** The page of the movie that already has this title or id. */
  const duplicate = useSignal('')
  const version = useRef(movie?.version)

  async function save(form: HTMLFormElement) {
    duplicate.value = ''
    const body = changesOf(draftOf(textOf(form)), movie && draftOf(textBefore(form)))
    const path = movie ? `/v1/movies/${movie.id}` : '/v1/movies'
    const guarded = { body, version: version.current }
    try {
      const saved = await call<{ movie: Movie }>(movie ? 'PATCH' : 'POST', path, guarded)
      tell(movie ? 'Your changes are saved.' : `“${isolated(saved.movie.title)}” is in the catalogue.`)
      leave(saved.movie.id, form)
    } catch (error) {
      if (movie && form.isConnected && isRefusal(error, 409, 412)) return compare(movie, form)
      if (isRefusal(error, 422)) duplicate.value = duplicateOf(error.headers)
      throw error
    }
  }
  async function compare(read: Movie, form: HTMLFormElement) {
    const now = await call<{ movie: Movie }>('GET', `/v1/movies/${read.id}`)
    if (differing(editedIn(form, read), now.movie).length > 0) {
      theirs.value = now.movie
      return
    }
    // Both made the same change.
    tell('Your changes are saved.')
    leave(read.id, form)
  }
  return { theirs, duplicate, version, save }
}

/** Link: </v1/movies/7>; rel="duplicate" */
const duplicateOf = (headers: Headers) =>
  /<[^>]*\/v1(\/movies\/\d+)>;\s*rel="duplicate"/.exec(headers.get('Link') ?? '')?.[1] ?? ''

type Ref<T> = { current: T }

/** Asks before typed text is lost, and keeps it if the session ends; returns the form's onInput. */
function useGuard(ref: Ref<HTMLFormElement | null>, version: Ref<number | undefined>, show: () => void) {
  const isChanged = useRef(false)
  const onInput = () => {
    isChanged.current = true
    if (ref.current) Object.assign(ref.current.dataset, { keep: 'changed', version: version.current ?? '' })
    show()
  }
  useLayoutEffect(() => {
    guard.isDirty = () => isChanged.current
    const draft = ref.current && restoreDraft(ref.current)
    if (draft) {
      // Changes by others since then are a conflict.
      if (draft.version) version.current = Number(draft.version)
      onInput()
    }
    return () => {
      guard.isDirty = undefined
    }
  }, [])
  return onInput
}
