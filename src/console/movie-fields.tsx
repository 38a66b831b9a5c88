import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { Field } from './field'
import { FIELDS, type FieldName, minutesOf } from './movie-draft'
import { useResource } from './resource'
import type { Genres, Movie } from './types'

type Props = { movie: Movie | undefined; problemAt: (name: FieldName) => ComponentChildren }

export function MovieFields({ movie, problemAt }: Props) {
  const field = (name: FieldName) => ({
    name,
    label: FIELDS[name],
    problem: problemAt(name),
    autocomplete: 'off' as const,
  })
  return (
    <>
      <Field {...field('title')} defaultValue={movie?.title} dir="auto" />
      <div class="row">
        <Field {...field('year')} inputMode="numeric" defaultValue={movie?.year} />
        <Field
          {...field('runtime')}
          label="Runtime in minutes"
          inputMode="numeric"
          maxLength={6}
          defaultValue={minutesOf(movie?.runtime)}
        />
        <Field {...field('release_date')} type="date" defaultValue={movie?.release_date} />
      </div>
      <GenresField {...field('genres')} genres={movie?.genres ?? []} />
      <Field {...field('director')} defaultValue={movie?.director} dir="auto" />
      <Field {...field('cast')} hint="One name per line" rows={5} defaultValue={movie?.cast?.join('\n')} />
      <Field {...field('synopsis')} rows={5} defaultValue={movie?.synopsis} />
      <Field
        {...field('poster')}
        type="url"
        hint="The https address of a picture, which every visitor’s browser loads from there"
        defaultValue={movie?.poster}
      />
      <div class="row">
        <Field {...field('imdb_id')} hint="Like tt3521164" defaultValue={movie?.imdb_id} spellcheck={false} />
        <Field
          {...field('external_id')}
          hint="From your own system"
          defaultValue={movie?.external_id}
          spellcheck={false}
        />
      </div>
    </>
  )
}

type GenresProps = { name: string; label: string; problem: ComponentChildren; genres: readonly string[] }

/** Suggests genres for the last one in the list, which is being typed. */
function GenresField({ genres, ...field }: GenresProps) {
  const id = useId()
  const typed = useSignal(genres.join(', '))
  const all = useResource<Genres>('/v1/genres').data.value?.genres ?? []
  const parts = typed.value.split(',').map((part) => part.trim())
  const before = parts.slice(0, -1)
  const free = all.filter(({ name }) => !before.some((one) => one.toLowerCase() === name.toLowerCase()))
  return (
    <>
      <Field
        {...field}
        hint="1 to 5, separated by commas"
        list={id}
        autocomplete="off"
        defaultValue={genres.join(', ')}
        onInput={({ currentTarget }) => {
          typed.value = currentTarget.value
        }}
      />
      <datalist id={id}>
        {free.slice(0, 50).map(({ name }) => (
          <option key={name} value={[...before, name].join(', ')} />
        ))}
      </datalist>
    </>
  )
}
