import { useSignal } from '@preact/signals'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { chosenGenres, type Own } from './list-query'
import { useResource } from './resource'
import { navigate, url, withQuery } from './router'
import type { Genres } from './types'

/** Imported catalogues have hundreds of genres. */
const FIRST = 20

const set = (changes: Record<string, string | undefined>) =>
  navigate(withQuery({ page: undefined, ...changes }), { inPlace: true })
const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

export function Filters({ own }: { own: Own }) {
  return (
    <section class="filters" aria-label="Filters">
      <GenreChips hasCounts={own === 'all'} />
      <Names />
    </section>
  )
}

export const Years = () => (
  <div class="years">
    <Year name="year_from" label="From year" />
    <span aria-hidden="true">–</span>
    <Year name="year_to" label="To year" />
  </div>
)

function GenreChips({ hasCounts }: { hasCounts: boolean }) {
  const isOpen = useSignal(false)
  const all = useResource<Genres>('/v1/genres').data.value?.genres ?? []
  const chosen = chosenGenres()
  const isChosen = (name: string) => chosen.some((one) => same(one, name))
  const unknown = chosen.filter((name) => !all.some((genre) => same(genre.name, name)))
  const shown = all.filter(({ name }, index) => isOpen.value || index < FIRST || isChosen(name))
  const toggle = (name: string) =>
    set({ genres: (isChosen(name) ? chosen.filter((one) => !same(one, name)) : [...chosen, name]).join(',') })
  return (
    <fieldset class="chips">
      <legend class="visually-hidden">Genres</legend>
      {[...unknown.map((name) => ({ name, movies: 0 })), ...shown].map(({ name, movies }) => (
        <label key={name} class="chip">
          <input type="checkbox" checked={isChosen(name)} onChange={() => toggle(name)} />
          <span>
            <bdi>{name}</bdi> {hasCounts && movies > 0 && <small>{movies.toLocaleString('en')}</small>}
          </span>
        </label>
      ))}
      {all.length > FIRST && (
        <button
          type="button"
          class="more"
          aria-expanded={isOpen.value}
          onClick={() => {
            isOpen.value = !isOpen.value
          }}
        >
          {isOpen.value ? 'Fewer genres' : `All ${all.length} genres`}
        </button>
      )}
    </fieldset>
  )
}

/** A director or actor chosen on a movie's page. */
function Names() {
  return (['director', 'cast'] as const).map((kind) => {
    const name = url.value.searchParams.get(kind)
    if (!name) return null
    return (
      <button key={kind} type="button" class="quiet name" onClick={() => set({ [kind]: undefined })}>
        <span class="visually-hidden">Remove the filter: </span>
        {kind === 'cast' ? 'With' : 'By'} <bdi>{name}</bdi> <span aria-hidden="true">×</span>
      </button>
    )
  })
}

function Year({ name, label }: { name: string; label: string }) {
  const input = useRef<HTMLInputElement>(null)
  const isWrong = useSignal(false)
  const id = useId()
  const value = url.value.searchParams.get(name) ?? ''
  // As a property, a render while somebody types would undo their typing, and so would a later effect.
  useLayoutEffect(() => {
    if (input.current && input.current.value !== value) input.current.value = value
    isWrong.value = false
  }, [value])
  function take(text: string, isFinal: boolean) {
    const isYear = /^\d{4}$/.test(text) || text === ''
    isWrong.value = isFinal && !isYear
    if (isYear && text !== value) set({ [name]: text })
  }
  return (
    <>
      <input
        ref={input}
        class="year"
        inputMode="numeric"
        maxLength={4}
        placeholder={label.split(' ')[0]}
        aria-label={label}
        aria-invalid={isWrong.value ? true : undefined}
        aria-describedby={isWrong.value ? id : undefined}
        onInput={({ currentTarget }) => take(currentTarget.value.trim(), false)}
        onChange={({ currentTarget }) => take(currentTarget.value.trim(), true)}
      />
      {isWrong.value && (
        <p class="problem" id={id} role="alert">
          A year has four digits. This filter is still {value || 'off'}.
        </p>
      )}
    </>
  )
}
