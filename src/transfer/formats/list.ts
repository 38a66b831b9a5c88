import { UsageError } from '../../errors'
import { didYouMean, quoted } from '../../rules/suggest'
import { csv, tsv } from './csv'
import type { Format } from './format'
import { imdbList } from './imdb-list'
import { imdbTsv } from './imdb-tsv'
import { jellyfin } from './jellyfin'
import { json, ndjson } from './json'
import { letterboxd } from './letterboxd'
import { movielens, movielensDat } from './movielens'
import { netflix } from './netflix'
import { omdbOrg } from './omdb-org'
import { radarr } from './radarr'
import { tmdb } from './tmdb'
import { trakt } from './trakt'

/** In the order in which they are tried. */
const formats: readonly Format[] = [
  imdbTsv,
  imdbList,
  movielens,
  movielensDat,
  tmdb,
  letterboxd,
  netflix,
  omdbOrg,
  radarr,
  trakt,
  jellyfin,
  csv,
  tsv,
  ndjson,
  json,
]

export const formatNames = formats.map(({ name }) => name)

export function formatNamed(name: string): Format {
  const found = formats.find((format) => format.name === name.toLowerCase())
  if (found === undefined)
    throw new UsageError(
      `--format ${quoted(name)} is not one of ${formatNames.join(', ')}${didYouMean(name, formatNames)}`,
    )
  return found
}

/** The format of a table's header, or of the keys of a JSON object. */
export function recognised(
  shape: 'table' | 'json',
  names: readonly string[],
  first: Readonly<Record<string, unknown>> = {},
): Format {
  const lower = names.map((name) => name.toLowerCase())
  const found = formats.find(
    (format) => [shape, 'any'].includes(format.shape) && format.isKnownBy?.(lower, first),
  )
  return found ?? (shape === 'table' ? csv : json)
}
