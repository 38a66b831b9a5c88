import { expect, test } from 'bun:test'
import { openContent, outcomes } from '../support/reading'

const heat = { title: 'Heat', year: 1995, ids: { trakt: 1, slug: 'heat-1995', imdb: 'tt0113277', tmdb: 949 } }
const read = { title: 'Heat', year: 1995, imdb_id: 'tt0113277' }

test('what Trakt exports has movies nested in its entries', async () => {
  const show = { title: 'ER', year: 1994, ids: { imdb: 'tt0108757' } }
  const content = JSON.stringify([
    { type: 'episode', watched_at: 'x', episode: { title: 'Pilot' }, show },
    { type: 'movie', rank: 1, movie: heat },
    { plays: 4, show },
    {
      plays: 4,
      movie: {
        ...heat,
        ids: { imdb: null },
        runtime: 170,
        genres: ['crime'],
        overview: 'x',
        released: '1995-12-15',
      },
    },
    { type: 'season', season: {}, show },
    { plays: 4, movie: 'Heat' },
  ])
  const source = await openContent(content)
  expect(source).toMatchObject({
    format: 'trakt',
    unusedColumns: ['watched_at', 'episode', 'rank', 'plays', 'season'],
  })
  expect(await outcomes(content)).toEqual([
    'not_movie',
    read,
    'not_movie',
    {
      title: 'Heat',
      year: 1995,
      runtime: '170 mins',
      genres: ['crime'],
      synopsis: 'x',
      release_date: '1995-12-15',
    },
    'not_movie',
    {},
  ])
})

test('movies of Trakt’s API are read too', async () => {
  expect(await outcomes(JSON.stringify([{ ...heat, released: '1995-12-15', overview: 'x' }]))).toEqual([
    { ...read, release_date: '1995-12-15', synopsis: 'x' },
  ])
})
