import type { Format, Reading } from './format'
import { entries, member } from './json-values'

const poster: Reading = (images) => ({
  poster: member(
    entries(images).find((image) => member(image, 'coverType') === 'poster'),
    'remoteUrl',
  ),
})

/** An answer of Radarr's api/v3/movie; its `releaseDate` is the disc's. */
export const radarr: Format = {
  name: 'radarr',
  shape: 'json',
  isKnownBy: (names) =>
    names.includes('incinemas') || (names.includes('tmdbid') && names.includes('sorttitle')),
  columns: { incinemas: 'release_date', overview: 'synopsis', imdbid: 'imdb_id', images: poster },
}
