import { useSignal } from '@preact/signals'
import { call, explain, Told } from './api'
import { Confirm } from './dialog'
import { tell } from './notices'
import { navigate, to } from './router'
import { can, user } from './session'
import { isolated } from './text'
import type { Movie } from './types'

export async function takeOver({ id, title }: Movie): Promise<Movie> {
  const body = { id: user.peek()?.id }
  const { movie } = await call<{ movie: Movie }>('PUT', `/v1/movies/${id}/creator`, { body })
  tell(`“${isolated(title)}” is yours now.`)
  return movie
}

/** Only its creator can remove a movie, so an operator makes it theirs first. */
export async function removeAsOperator(movie: Movie) {
  const mine = movie.created_by.id === user.peek()?.id ? movie : await takeOver(movie)
  try {
    await call('DELETE', `/v1/movies/${mine.id}`, { version: mine.version })
  } catch {
    throw new Told('The movie is yours now, but couldn’t be removed.')
  }
  tell(`“${isolated(movie.title)}” is removed.`)
}

/** What its creator or an operator may do with a movie. */
export function MovieActions({ movie, reload }: { movie: Movie; reload: () => void }) {
  const isAsking = useSignal(false)
  const isMine = movie.created_by.id === user.value?.id
  const ask = () => {
    isAsking.value = true
  }
  async function remove() {
    await call('DELETE', `/v1/movies/${movie.id}`, { version: movie.version })
    tell(`“${isolated(movie.title)}” is deleted.`)
  }
  return (
    <>
      {isMine && can('movies:write') && (
        <>
          <a class="button" href={to(`/movies/${movie.id}/edit`)}>
            Edit
          </a>
          <button type="button" class="quiet" onClick={ask}>
            Delete
          </button>
        </>
      )}
      {!isMine && can('admin') && <OperatorActions movie={movie} reload={reload} />}
      {isAsking.value && (
        <Confirm
          title={`Delete “${isolated(movie.title)}”?`}
          label="Delete movie"
          act={remove}
          done={() => navigate('/')}
          onClose={() => {
            isAsking.value = false
          }}
        >
          <p>It is removed from everybody’s favourites too. This can’t be undone.</p>
        </Confirm>
      )}
    </>
  )
}

function OperatorActions({ movie, reload }: { movie: Movie; reload: () => void }) {
  const isAsking = useSignal(false)
  return (
    <>
      <button
        type="button"
        class="quiet"
        onClick={() => takeOver(movie).then(reload, (error) => tell(explain(error)))}
      >
        Take over
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          isAsking.value = true
        }}
      >
        Remove movie
      </button>
      {isAsking.value && (
        <RemoveMovie
          movie={movie}
          done={() => navigate('/')}
          onClose={() => {
            isAsking.value = false
          }}
        />
      )}
    </>
  )
}

type Removal = { movie: Movie; done: () => void; onClose: () => void }
export const RemoveMovie = ({ movie, done, onClose }: Removal) => (
  <Confirm
    title={`Remove “${isolated(movie.title)}”?`}
    label="Remove movie"
    act={() => removeAsOperator(movie)}
    done={done}
    onClose={onClose}
  >
    <p>
      It becomes yours first, and is then removed from the catalogue and everybody’s favourites. This can’t be
      undone.
    </p>
  </Confirm>
)
