import { exampleMovies, movieProperties, movieSchema, optionalMovieProperties } from '../movies/docs-schemas'
import { messageAnswer, metadataSchema, named, type Operation, objectOf } from '../openapi/operation'
import { listedProperties, listMovies, listParameters } from '../search/docs'

const favouriteSchema = named(
  'FavouriteMovie',
  objectOf(
    {
      ...movieProperties,
      favourited_at: { type: 'string', format: 'date-time' },
      ...listedProperties,
    },
    [...optionalMovieProperties, 'favourite'],
  ),
)
const id = { description: 'The id of the movie.', example: 1 }

export const listFavourites: Operation = {
  operationId: 'listFavourites',
  summary: 'List your favourites',
  description: `Newest favourites first by default. ${listMovies.description}`,
  query: {
    ...listParameters,
    sort: { ...listMovies.query?.sort, default: '-added' },
  },
  requestHeaders: ['IfNoneMatch'],
  answers: {
    200: {
      description: 'A page of your favourites.',
      schema: objectOf({ movies: { type: 'array', items: favouriteSchema }, metadata: metadataSchema }),
      example: {
        movies: exampleMovies
          .slice(0, 1)
          .map((movie) => ({ ...movie, favourited_at: '2026-01-02T03:04:05Z' })),
        metadata: { current_page: 1, page_size: 20, first_page: 1, last_page: 1, total_records: 1 },
      },
      headers: ['Link', 'ContentETag', 'Stale'],
    },
    304: { description: 'Nothing of the page has changed.', headers: ['ContentETag'] },
  },
  refusals: ['tooManyAnswers'],
  problems: listMovies.problems,
}

export const addFavourite: Operation = {
  operationId: 'addFavourite',
  summary: 'Add a favourite',
  description: 'A movie that is already a favourite keeps its place in the list.',
  id,
  answers: {
    200: {
      description: 'The movie, now a favourite.',
      schema: objectOf({ movie: movieSchema }),
      example: { movie: exampleMovies[0] },
    },
  },
}

export const removeFavourite: Operation = {
  operationId: 'removeFavourite',
  summary: 'Remove a favourite',
  description: 'The movie itself is kept.',
  id,
  answers: { 200: messageAnswer('The movie is not a favourite any more.', 'movie removed from favourites') },
}
