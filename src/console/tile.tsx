import { useState } from 'preact/hooks'
import { site } from './site'
import { minutes } from './text'
import type { Movie } from './types'

// biome-ignore format: a table
const HUES: Record<string, number> = {
  action: 38, adventure: 72, animation: 335, biography: 95, comedy: 84, crime: 272, documentary: 195, drama: 18,
  family: 130, fantasy: 305, history: 62, horror: 155, music: 350, musical: 342, mystery: 288, romance: 4,
  'science fiction': 235, 'sci-fi': 235, sport: 170, thriller: 252, war: 112, western: 50,
}
const MOTIFS = 6

const hash = (text: string) =>
  [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0, 7)
const hueOf = (genre: string) => HUES[genre.toLowerCase()] ?? hash(genre.toLowerCase()) % 360

/** Most movies are dramas, so the other genres come first. */
function hues(genres: readonly string[], title: string): readonly [number, number] {
  if (genres.length === 0) return [hash(title) % 360, (hash(title) + 40) % 360]
  const telling = genres.filter((genre) => genre.toLowerCase() !== 'drama')
  const [first = 'drama', second = genres.find((genre) => genre !== first) ?? first] = telling
  return [hueOf(first), hueOf(second)]
}

const sizeOf = (title: string) => {
  const longest = Math.max(...title.split(/\s+/).map((word) => [...word].length))
  const length = [...title].length
  if (length > 60 || longest > 14) return 'xs'
  if (length > 34 || longest > 11) return 's'
  return length > 16 || longest > 8 ? 'm' : 'l'
}

export type Shown = Pick<Movie, 'title' | 'year' | 'genres' | 'runtime' | 'poster'>

/** A movie's poster, made of type. In a link, its text is the link's name. */
export function Tile({ movie, isLarge = false }: { movie: Shown; isLarge?: boolean }) {
  const { title, year, genres, runtime } = movie
  const [a, b] = hues(genres, title)
  const seed = hash(title)
  return (
    <span
      class={`tile motif-${seed % MOTIFS} ${isLarge ? 'large' : ''}`}
      style={{ '--a': a, '--b': b, '--t': ((seed >>> 8) % 100) / 100 }}
      aria-hidden={isLarge ? true : undefined}
      data-ghost={String(year % 100).padStart(2, '0')}
    >
      <bdi class={`tile-title ${sizeOf(title)}`} dir="auto">
        {title}
      </bdi>{' '}
      <span class="tile-top">
        <span>{year}</span> {runtime !== undefined && <span>{minutes(runtime)}</span>}
      </span>{' '}
      {genres.length > 0 && <span class="tile-genres">{genres.slice(0, 2).join(' · ')}</span>}
      <Poster key={movie.poster} address={movie.poster} />
    </span>
  )
}

/** Covers the tile; removed if it can't be loaded. The policy allows only https. */
function Poster({ address }: { address: string | undefined }) {
  const [isGone, setGone] = useState(false)
  if (!site.hasPosters || isGone || !address?.startsWith('https:')) return null
  return (
    <img
      class="poster"
      src={address}
      alt=""
      loading="lazy"
      decoding="async"
      referrerpolicy="no-referrer"
      onError={() => setGone(true)}
    />
  )
}
